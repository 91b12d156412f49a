// Package tap lets others look at the values that flow through a pipeline.
package tap

import (
	"context"
	"sync/atomic"

	"github.com/relaystream/autoconfig/stream"
)

// A Tap passes values on to its observers. It costs next to nothing while nobody does. Its
// methods may be called concurrently.
type Tap[T any] struct {
	subject   *stream.Subject[T]
	observers atomic.Int32
	own       func(T) T
	lag       int
}

// New returns a tap whose observers may fall behind by lag values; then they lose the oldest. own returns
// a copy of a value that may be kept.
func New[T any](lag int, own func(T) T) *Tap[T] {
	return &Tap[T]{subject: stream.NewSubject[T](), own: own, lag: lag}
}

// Observed reports whether anybody observes.
func (t *Tap[T]) Observed() bool { return t.observers.Load() > 0 }

// Pass passes v on. It never blocks. Where nobody observes, v is not even copied: the compiler inlines Pass.
func (t *Tap[T]) Pass(v T) {
	if t.Observed() {
		t.publish(v)
	}
}

func (t *Tap[T]) publish(v T) {
	// No observer has a policy that blocks, so there is neither waiting nor an error.
	_ = t.subject.Publish(context.Background(), t.own(v))
}

// Observe returns what is passed on from the subscription on.
func (t *Tap[T]) Observe() stream.Observable[T] {
	values := t.subject.Observe(stream.DropOldest[T](t.lag), nil)
	return func(ctx context.Context, yield func(T) bool) error {
		t.observers.Add(1)
		defer t.observers.Add(-1)
		return values(ctx, yield)
	}
}

// Close ends all observables, as stream.Subject.Close does.
func (t *Tap[T]) Close(err error) { t.subject.Close(err) }
