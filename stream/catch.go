package stream

import "context"

// Catch continues, when o has failed, with the observable that handler makes of the error. A
// cancelled context is no failure: handler does not hear of it.
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

// OnErrorResume continues with next when o has failed, whatever the error was: Catch for those who
// have a substitute and need not know what for.
//
//	o     ──1──2──✗
//	next           ──3──|
//	      ──1──2─────3──|
func OnErrorResume[T any](o, next Observable[T]) Observable[T] {
	need(o != nil && next != nil, "OnErrorResume")
	return Catch(o, func(error) Observable[T] { return next })
}
