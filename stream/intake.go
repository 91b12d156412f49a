package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// errGoexit ends a sequence whose source called runtime.Goexit on a goroutine of an operator.
var errGoexit = errors.New("stream: runtime.Goexit on the goroutine of an operator")

// An intake runs observables on goroutines of its own and brings what they yield to one subscriber,
// in the order in which it came. The first error stops all of them when it occurs, whatever the
// subscriber is doing; it reaches the subscriber after the values that came before it.
//
// Concurrency: the goroutines only ever publish to a subject, whose single subscription belongs to
// the goroutine that made the intake. It alone calls run, or take, and at last stop, which cancels
// the goroutines' context and waits for them: a goroutine that is waiting for room sees its context
// end, and one inside an observable relies on that to obey its own.
type intake[T any] struct {
	*subscription[T]
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	live   atomic.Int64 // the observables that have not completed
}

func newIntake[T any](ctx context.Context, p Policy[T]) *intake[T] {
	ctx, cancel := context.WithCancelCause(ctx)
	return newIntakeWith(ctx, cancel, p)
}

// newIntakeWith returns an intake whose context is ctx, which cancel cancels.
func newIntakeWith[T any](ctx context.Context, cancel context.CancelCauseFunc, p Policy[T]) *intake[T] {
	return &intake[T]{subscription: NewSubject[T]().join(p, nil), ctx: ctx, cancel: cancel}
}

// start runs sources. The intake ends when all have completed, or with the first error. A source
// may start more.
func (in *intake[T]) start(sources ...Observable[T]) {
	in.live.Add(int64(len(sources)))
	for _, o := range sources {
		in.wg.Go(func() {
			err := errGoexit // until o returns
			defer func() { in.ended(err) }()
			err = o(in.ctx, in.push)
		})
	}
}

// ended notes the end of one source.
func (in *intake[T]) ended(err error) {
	if err != nil {
		// Closed before the others are told to stop: what they return then must not come first.
		in.subject.Close(err)
		in.cancel(err)
	}
	// Counted only now: the last of the others to complete must not come before the error.
	if in.live.Add(-1) == 0 {
		in.subject.Close(nil)
	}
}

// push waits for room. It reports false when its caller is to stop.
func (in *intake[T]) push(v T) bool {
	return in.subject.Publish(in.ctx, v) == nil && (in.policy.rule != failSlow || !in.tooSlow())
}

// tooSlow reports whether the subscription has failed for falling behind.
func (in *intake[T]) tooSlow() bool {
	in.subject.mu.Lock()
	defer in.subject.mu.Unlock()
	return in.failed
}

// stop ends the intake, wherever it is.
func (in *intake[T]) stop() {
	in.cancel(nil)
	in.leave()
	in.wg.Wait()
}
