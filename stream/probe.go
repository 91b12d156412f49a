package stream

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long the first value of another source is held back for a source that neither ends
// nor is seen to wait.
const patience = 100 * time.Millisecond

// A probe is the context that a source is subscribed to with. It tells whether the source is past its
// beginning, in which it does everything that it can do without waiting: the source has ended, or it has
// asked the context for Done, as whatever waits must, to be woken by a cancellation.
type probe struct {
	context.Context
	once    sync.Once
	settled chan struct{} // closed when the beginning is over
}

// A probeKey is the key of the probe among the values of a context.
type probeKey struct{}

func newProbe(ctx context.Context) *probe {
	return &probe{Context: ctx, settled: make(chan struct{})}
}

// Done implements context.Context.
func (p *probe) Done() <-chan struct{} {
	p.settle()
	return p.Context.Done()
}

// Value implements context.Context. A context that is made of a probe tells of it.
func (p *probe) Value(key any) any {
	if key == (probeKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// String keeps package fmt from reading fields that other goroutines change.
func (p *probe) String() string { return fmt.Sprint(p.Context) }

// settle says that the beginning is over.
func (p *probe) settle() { p.once.Do(func() { close(p.settled) }) }

// wait returns when the beginning is over, when ctx has ended, or when patience has passed since begin.
func (p *probe) wait(ctx context.Context, begin time.Time) {
	timer := time.NewTimer(patience - time.Since(begin))
	defer timer.Stop()
	select {
	case <-p.settled:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// cancellable reports whether ctx can end. It does not ask a probe for Done, which would pass for
// waiting, nor a context with values that is made of one.
func cancellable(ctx context.Context) bool {
	return ctx.Value(probeKey{}) != nil || ctx.Done() != nil
}
