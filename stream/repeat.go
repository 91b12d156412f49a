package stream

import "context"

// Repeat subscribes to o again each time that o completes, without end. An error ends it. The next
// subscription begins as soon as the one before has completed, so an o that never waits keeps a
// processor busy. To repeat n times, use Concat. To repeat at intervals, use ConcatMap over
// IntervalWithInitial.
//
//	o  ──1──2──|
//	   ──1──2────1──2────1──…
func Repeat[T any](o Observable[T]) Observable[T] {
	need(o != nil, "Repeat")
	return func(ctx context.Context, yield func(T) bool) error {
		stopped := false
		step := func(v T) bool {
			stopped = !yield(v)
			return !stopped
		}
		for {
			if err := o(ctx, step); stopped || err != nil {
				return unless(stopped, err)
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
}
