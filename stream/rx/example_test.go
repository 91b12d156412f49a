package rx_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/reactivex/rxgo/v2"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/rx"
)

func ExampleToRxGo() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // ends the subscription, which Take only stops reading

	words := stream.Just("a", "b", "a", "c", "b", "d")
	identity := func(_ context.Context, word any) (any, error) { return word, nil }
	items := rx.ToRxGo(words).Distinct(identity).Take(3).Observe(rxgo.WithContext(ctx))
	for item := range items {
		fmt.Println(item.V.(string), item.E)
	}
	// Output:
	// a <nil>
	// b <nil>
	// c <nil>
}

// One subscription for several RxGo observers.
func ExampleToRxGo_shared() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	subscriptions := 0
	numbers := stream.Defer(func() stream.Observable[int] {
		subscriptions++
		return stream.Just(1, 2, 3)
	})
	items := rx.ToRxGo(numbers).Observe(rxgo.WithContext(ctx))
	shared := rxgo.FromChannel(items, rxgo.WithPublishStrategy())

	sums := make([]int, 2)
	var observers sync.WaitGroup
	for i := range sums {
		observed := shared.Observe()
		observers.Go(func() {
			for item := range observed {
				sums[i] += item.V.(int)
			}
		})
	}
	shared.Connect(ctx)
	observers.Wait()
	fmt.Println(sums, "from", subscriptions, "subscription")
	// Output: [6 6] from 1 subscription
}

func ExampleFromRxGo() {
	squares := rxgo.Range(1, 4).Map(func(_ context.Context, n any) (any, error) {
		return n.(int) * n.(int), nil
	})
	for square, err := range rx.FromRxGo[int](squares).All(context.Background()) {
		fmt.Println(square, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// 16 <nil>
}

// FlatMap is one of RxGo's operators for one observer. Built anew for each subscription, and with
// its context, they can be subscribed to again, and stop early.
func ExampleFromRxGo_perSubscription() {
	twice := func(item rxgo.Item) rxgo.Observable { return rxgo.Just(item.V, item.V)() }
	doubled := stream.Observable[string](func(ctx context.Context, yield func(string) bool) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		flat := rx.ToRxGo(stream.Just("a", "b")).FlatMap(twice, rxgo.WithContext(ctx))
		return rx.FromRxGo[string](flat)(ctx, yield)
	})
	fmt.Println(doubled.Collect(context.Background()))
	fmt.Println(doubled.First(context.Background()))
	// Output:
	// [a a b b] <nil>
	// a <nil>
}
