package stream_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/relaystream/autoconfig/stream"
)

func ExampleStartWith() {
	fmt.Println(stream.StartWith(stream.Just("change"), "state").Collect(context.Background()))
	// Output: [state change] <nil>
}

// Page after page, and no page before it is needed.
func ExampleConcatMap() {
	rows := stream.ConcatMap(stream.Just(1, 2, 3), func(page int) stream.Observable[string] {
		fmt.Println("fetching page", page)
		return stream.Just(fmt.Sprint(page, "a"), fmt.Sprint(page, "b"))
	})
	fmt.Println(stream.Take(rows, 3).Collect(context.Background()))
	// Output:
	// fetching page 1
	// fetching page 2
	// [1a 1b 2a] <nil>
}

func ExampleConcatAll() {
	files := stream.Just(stream.Just("a1", "a2"), stream.Just("b1"))
	fmt.Println(stream.ConcatAll(files).Collect(context.Background()))
	// Output: [a1 a2 b1] <nil>
}

func ExampleMergeAll() {
	feeds := stream.Just(stream.Just(1, 2), stream.Just(3), stream.Just(4, 5))
	sum := stream.Reduce(stream.MergeAll(feeds, 2), 0, func(a, b int) int { return a + b })
	fmt.Println(sum.First(context.Background()))
	// Output: 15 <nil>
}

func ExampleRepeat() {
	clock := stream.Repeat(stream.Just("tick", "tock"))
	fmt.Println(stream.Take(clock, 5).Collect(context.Background()))
	// Output: [tick tock tick tock tick] <nil>
}

// The search for an older query is given up when there is a newer one.
func ExampleSwitchMap() {
	search := func(query string) stream.Observable[string] {
		if query == "h" {
			return stream.Never[string]() // takes too long
		}
		return stream.Just(query + "!")
	}
	fmt.Println(stream.SwitchMap(stream.Just("h", "hello"), search).Collect(context.Background()))
	// Output: [hello!] <nil>
}

func ExampleCombineLatest() {
	label := func(name string, price int) string { return fmt.Sprint(name, " costs ", price) }
	fmt.Println(stream.CombineLatest(stream.Just("tea"), stream.Just(3), label).Collect(context.Background()))
	// Output: [tea costs 3] <nil>
}

func ExampleCombineLatestSlice() {
	health := stream.CombineLatestSlice(stream.Just("db up"), stream.Just("cache up"), stream.Just("queue down"))
	fmt.Println(health.Collect(context.Background()))
	// Output: [[db up cache up queue down]] <nil>
}

func ExampleWithLatestFrom() {
	known := make(chan int)
	rate := stream.Concat(stream.Just(2), stream.Defer(func() stream.Observable[int] {
		close(known)
		return stream.Never[int]()
	}))
	amounts := stream.Concat(stream.FromChan(known), stream.Just(10, 20)) // once there is a rate
	prices := stream.WithLatestFrom(amounts, rate, func(amount, rate int) int { return amount * rate })
	fmt.Println(prices.Collect(context.Background()))
	// Output: [20 40] <nil>
}

func ExampleOnErrorResume() {
	live := stream.Concat(stream.Just("live"), stream.Fail[string](errors.New("down")))
	fmt.Println(stream.OnErrorResume(live, stream.Just("recorded")).Collect(context.Background()))
	// Output: [live recorded] <nil>
}

// What was read is written whenever somebody asks for it.
func ExampleBatchWhen() {
	flush := make(chan struct{}, 1)
	rows := stream.Concat(stream.Just(1, 2, 3), stream.Defer(func() stream.Observable[int] {
		flush <- struct{}{}
		return stream.Never[int]()
	}))
	fmt.Println(stream.BatchWhen(rows, stream.FromChan(flush)).First(context.Background()))
	// Output: [1 2 3] <nil>
}

func ExampleSampleWhen() {
	asked := make(chan struct{}, 1)
	temperatures := stream.Concat(stream.Just(19, 20, 21), stream.Defer(func() stream.Observable[int] {
		asked <- struct{}{}
		return stream.Never[int]()
	}))
	fmt.Println(stream.SampleWhen(temperatures, stream.FromChan(asked)).First(context.Background()))
	// Output: 21 <nil>
}
