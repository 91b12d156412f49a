package rx

import (
	"context"
	"slices"

	"github.com/reactivex/rxgo/v2"
	"github.com/relaystream/autoconfig/stream"
)

// ToRxGo returns o as a cold RxGo observable: each Observe subscribes to o anew. Every value
// arrives as an item whose V is a T; an error that ended o arrives as an error item, the last one,
// with its identity kept; then the channel is closed. When the context of the Observe ends, o's
// subscription is cancelled and the channel is closed without an error item.
//
// An observer that doesn't read to the end must end that context, given with [rxgo.WithContext]
// here or to Observe: RxGo has no other way to stop, and without one the subscription stays blocked
// at its next value for ever. A context given later in the chain replaces the one given here.
//
// The context and [rxgo.WithBufferedChannel] are the options that mean something to a cold
// observable; RxGo ignores the others. The package comment shows how to share one subscription.
func ToRxGo[T any](o stream.Observable[T], opts ...rxgo.Option) rxgo.Observable {
	produce := func(ctx context.Context, next chan<- rxgo.Item) {
		leave, ok := enter(ctx)
		if !ok {
			return
		}
		defer leave()
		err := o(ctx, func(v T) bool { return rxgo.Of(v).SendContext(ctx, next) })
		if err != nil {
			rxgo.Error(err).SendContext(ctx, next) // nothing is sent once ctx has ended
		}
	}
	// RxGo appends the options of each Observe to this slice. Spare capacity would let concurrent
	// observers write theirs into one place, and one could get the other's context.
	return rxgo.Defer([]rxgo.Producer{produce}, slices.Clip(slices.Clone(opts))...)
}
