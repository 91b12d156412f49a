package stream

import (
	"context"
	"errors"
	"sync"
)

// TakeUntil yields the values of o and completes at the first value of notifier. An error of notifier
// is an error of the whole. Its completion without a value means nothing, as in RxJS; other ReactiveX
// libraries complete then, which Concat(notifier, Just(v)) does here. notifier has a goroutine of its
// own, so some values of o may pass before a notifier that is ready.
//
//	o         ──1──2──3──4──|
//	notifier  ─────────x
//	          ──1──2──|
//
// Concurrency: the notifier's goroutine does nothing but cancel the context that both share, with the
// reason as its cause, and is waited for at the end.
func TakeUntil[T, N any](o Observable[T], notifier Observable[N]) Observable[T] {
	need(o != nil && notifier != nil, "TakeUntil")
	return func(ctx context.Context, yield func(T) bool) error {
		// The first who cancels leaves the reason: the subscriber's context, the notifier, or the end. It is a
		// value of this subscription alone: a TakeUntil further out cancels like anybody else.
		notified := errors.New("stream: TakeUntil's notifier has a value")
		ctx, cancel := context.WithCancelCause(ctx)
		var watcher sync.WaitGroup
		defer watcher.Wait()
		defer cancel(nil)
		watcher.Go(func() {
			err := errGoexit // until notifier returns
			defer func() {
				if err != nil {
					cancel(err)
				}
			}()
			err = notifier(ctx, func(N) bool {
				cancel(notified)
				return false
			})
		})
		stopped := false
		err := o(ctx, func(v T) bool {
			if ctx.Err() != nil {
				return false
			}
			stopped = !yield(v)
			return !stopped
		})
		switch cause := context.Cause(ctx); {
		case stopped, cause == notified:
			return nil
		case cause != nil:
			return cause
		default:
			return err
		}
	}
}
