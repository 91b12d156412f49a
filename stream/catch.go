package stream

import "context"

// Catch continues with the observable that handler makes of the error when o has failed. A cancelled
// context is not a failure: handler is not called for it.
//
//	o         ──1──2──✗
//	handler            ──3──|
//	          ──1──2─────3──|
func Catch[T any](o Observable[T], handler func(error) Observable[T]) Observable[T] {
	need(o != nil && handler != nil, "Catch")
	return func(ctx context.Context, yield func(T) bool) error {
		stopped := false
		step := func(v T) bool {
			stopped = !yield(v)
			return !stopped
		}
		err := o(ctx, step)
		switch {
		case stopped || err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		return unless(stopped, made(handler(err), "Catch")(ctx, step))
	}
}

// OnErrorResume continues with next when o has failed. It is Catch with a handler that ignores the error.
//
//	o     ──1──2──✗
//	next           ──3──|
//	      ──1──2─────3──|
func OnErrorResume[T any](o, next Observable[T]) Observable[T] {
	need(o != nil && next != nil, "OnErrorResume")
	return Catch(o, func(error) Observable[T] { return next })
}
