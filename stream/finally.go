package stream

import (
	"context"
	"errors"
)

// errUnwound is what Finally reports for a subscription that did not return.
var errUnwound = errors.New("stream: ended by a panic or runtime.Goexit")

// Finally calls f once for each subscription, with the error that ended it, before the subscriber
// sees the end. The error is nil if o completed or the subscriber asked to stop, and the context's
// cause after a cancellation. After a panic or runtime.Goexit f gets an error that is neither, and
// does not stop the panic. f runs on the subscriber's goroutine.
//
//	o  ──1──2──✗
//	f          f(✗)
//	   ──1──2──✗
//
// Together with Defer, it opens and closes a resource for each subscription. To hear only of
// completions and failures, and not of subscribers that stop, use a Tap behind Materialize.
func Finally[T any](o Observable[T], f func(error)) Observable[T] {
	need(o != nil && f != nil, "Finally")
	return func(ctx context.Context, yield func(T) bool) (err error) {
		err = errUnwound // until o returns
		defer func() { f(err) }()
		err = o(ctx, yield)
		return err
	}
}
