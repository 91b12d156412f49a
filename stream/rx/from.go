package rx

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/reactivex/rxgo/v2"
	"github.com/relaystream/autoconfig/stream"
)

// FromRxGo returns o, any RxGo observable or single, as a stream: each subscription is one Observe.
// An error item ends it with that error, an item whose value is not a T with a [*TypeError], a
// closed channel with nil. A nil value is the zero T if T is an interface type.
//
// The options are passed to Observe, before the subscription's own context; that one replaces a
// context among them. When the subscription ends, for whatever reason, its context is cancelled and
// the channel is read no more: see the package comment for what this stops, and what it can't.
// On return every [ToRxGo] that was observed with this context has ended.
func FromRxGo[T any](o rxgo.Iterable, opts ...rxgo.Option) stream.Observable[T] {
	opts = slices.Clip(slices.Clone(opts)) // so that subscriptions append to copies
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx) // a hot observable never forgets an observer: don't become one
		}
		inner, stop := enclose(ctx)
		defer stop()
		items := observe(inner, o, append(opts, rxgo.WithContext(inner)))
		for {
			item, ok, err := receive(ctx, items)
			if !ok {
				return err
			}
			v, err := unbox[T](item)
			if err != nil {
				return err
			}
			if !yield(v) {
				return nil
			}
		}
	}
}

// observe is o.Observe, abandoned when ctx ends: a hot observable's Observe waits for a lock that
// is held while any of its observers is slow. The result is then nil.
func observe(ctx context.Context, o rxgo.Iterable, opts []rxgo.Option) <-chan rxgo.Item {
	observed := make(chan (<-chan rxgo.Item), 1)
	go func() { observed <- o.Observe(opts...) }()
	select {
	case items := <-observed:
		return items
	case <-ctx.Done():
		return nil
	}
}

// receive returns the next item; false and nil at the end; false and the cause when ctx has ended,
// which wins over an item that is there as well.
func receive(ctx context.Context, items <-chan rxgo.Item) (rxgo.Item, bool, error) {
	select {
	case <-ctx.Done():
	case item, ok := <-items:
		if ctx.Err() == nil {
			return item, ok, nil
		}
	}
	return rxgo.Item{}, false, context.Cause(ctx)
}

func unbox[T any](item rxgo.Item) (T, error) {
	v, ok := item.V.(T)
	switch {
	case item.E != nil:
		return v, item.E
	case ok, item.V == nil && reflect.TypeFor[T]().Kind() == reflect.Interface:
		return v, nil
	default:
		return v, &TypeError{Want: reflect.TypeFor[T](), Got: reflect.TypeOf(item.V)}
	}
}

// A TypeError ends an observable of [FromRxGo] whose RxGo side delivered a value of another type.
// It holds no value, since a value may hold secrets.
type TypeError struct {
	Want, Got reflect.Type // Got is nil if the value was nil
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("rx: RxGo item is of type %v, want %v", e.Got, e.Want)
}
