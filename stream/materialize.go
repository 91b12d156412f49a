package stream

import "context"

// A Notification is an event of a sequence, as a value. If Done it is the end, with the error Err or,
// if that is nil, completion; else the sequence yields Value.
type Notification[T any] struct {
	Value T
	Done  bool
	Err   error
}

// Materialize yields a Notification for every value and one for the end, and completes, even if
// o fails. So an error can travel as a value, over a channel for instance. A cancelled context
// ends it as it ends everything, without a notification.
//
//	o  ──1──2──✗
//	   ──1──2──✗|
func Materialize[T any](o Observable[T]) Observable[Notification[T]] {
	need(o != nil, "Materialize")
	return func(ctx context.Context, yield func(Notification[T]) bool) error {
		stopped := false
		err := o(ctx, func(v T) bool {
			stopped = !yield(Notification[T]{Value: v})
			return !stopped
		})
		switch {
		case stopped:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		yield(Notification[T]{Done: true, Err: err})
		return nil
	}
}

// Dematerialize undoes Materialize: it yields the values that the notifications of o carry, and ends
// as the first that is Done says, or as o does if none is.
//
//	o  ──1──2──(done, ✗)──|
//	   ──1──2──✗
func Dematerialize[T any](o Observable[Notification[T]]) Observable[T] {
	need(o != nil, "Dematerialize")
	return func(ctx context.Context, yield func(T) bool) error {
		stopped, done := false, false
		var end error
		err := o(ctx, func(n Notification[T]) bool {
			if n.Done {
				done, end = true, n.Err
				return false
			}
			stopped = !yield(n.Value)
			return !stopped
		})
		if done {
			return end
		}
		return unless(stopped, err)
	}
}
