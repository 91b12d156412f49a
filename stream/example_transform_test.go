package stream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/relaystream/autoconfig/stream"
)

func ExampleMap() {
	lengths := stream.Map(stream.Just("to", "be", "observable"), func(w string) int { return len(w) })
	fmt.Println(lengths.Collect(context.Background()))
	// Output: [2 2 10] <nil>
}

func ExampleFilter() {
	long := stream.Filter(stream.Just("to", "be", "observable"), func(w string) bool { return len(w) > 2 })
	fmt.Println(long.Collect(context.Background()))
	// Output: [observable] <nil>
}

func ExampleTap() {
	logged := stream.Tap(stream.Just("a", "b"), func(w string) { fmt.Println("saw", w) })
	fmt.Println(logged.Count(context.Background()))
	// Output:
	// saw a
	// saw b
	// 2 <nil>
}

// With Defer, each subscription opens something of its own, and closes it however it ends.
func ExampleFinally() {
	lines := stream.Defer(func() stream.Observable[string] {
		file := strings.NewReader("first\nsecond\n")
		fmt.Println("opened")
		return stream.Finally(linesOf(file), func(err error) { fmt.Println("closed:", err) })
	})
	fmt.Println(lines.First(context.Background()))
	failed := stream.Finally(stream.Fail[int](errors.New("broken")), func(err error) { fmt.Println("failed:", err) })
	fmt.Println(failed.Count(context.Background()))
	// Output:
	// opened
	// closed: <nil>
	// first <nil>
	// failed: broken
	// 0 broken
}

func linesOf(r *strings.Reader) stream.Observable[string] {
	return stream.Defer(func() stream.Observable[string] {
		text := make([]byte, r.Len())
		_, _ = r.Read(text)
		return stream.FromSeq(strings.FieldsSeq(string(text)))
	})
}

func ExampleReduce() {
	total := stream.Reduce(stream.Just(10, -3, 5), 100, func(balance, deposit int) int { return balance + deposit })
	fmt.Println(total.Collect(context.Background()))
	// Output: [112] <nil>
}

func ExamplePairwise() {
	prices := stream.Just(10, 12, 9)
	changes := stream.Map(stream.Pairwise(prices), func(p [2]int) int { return p[1] - p[0] })
	fmt.Println(changes.Collect(context.Background()))
	// Output: [2 -3] <nil>
}

func ExampleTake() {
	fmt.Println(stream.Take(stream.Just(1, 2, 3), 2).Collect(context.Background()))
	// Output: [1 2] <nil>
}

func ExampleTakeWhile() {
	rising := stream.TakeWhile(stream.Just(1, 2, 5, 3), func(n int) bool { return n < 4 })
	fmt.Println(rising.Collect(context.Background()))
	// Output: [1 2] <nil>
}

func ExampleTakeLast() {
	fmt.Println(stream.TakeLast(stream.Just(1, 2, 3), 2).Collect(context.Background()))
	// Output: [2 3] <nil>
}

func ExampleSkip() {
	fmt.Println(stream.Skip(stream.Just("header", "row", "row"), 1).Collect(context.Background()))
	// Output: [row row] <nil>
}

func ExampleSkipWhile() {
	text := stream.SkipWhile(stream.Just("", "", "text", ""), func(line string) bool { return line == "" })
	fmt.Println(text.Count(context.Background()))
	// Output: 2 <nil>
}

func ExampleDistinct() {
	words := stream.Just("Be", "not", "be", "NOT", "or")
	fmt.Println(stream.Distinct(words, strings.ToLower).Collect(context.Background()))
	// Output: [Be not or] <nil>
}

func ExampleDistinctUntilChanged() {
	states := stream.Just("up", "up", "down", "up")
	changes := stream.DistinctUntilChanged(states, func(s string) string { return s })
	fmt.Println(changes.Collect(context.Background()))
	// Output: [up down up] <nil>
}

func ExampleDefaultIfEmpty() {
	none := stream.Filter(stream.Just(1, 3), func(n int) bool { return n%2 == 0 })
	fmt.Println(stream.DefaultIfEmpty(none, 0).Collect(context.Background()))
	// Output: [0] <nil>
}

func ExampleThrowIfEmpty() {
	errNone := errors.New("no even number")
	none := stream.Filter(stream.Just(1, 3), func(n int) bool { return n%2 == 0 })
	fmt.Println(stream.ThrowIfEmpty(none, errNone).Collect(context.Background()))
	// Output: [] no even number
}

// What an error carries over a channel, or anything else that has no room for one, comes out of it
// again as an error.
func ExampleDematerialize() {
	received := stream.Just(
		stream.Notification[int]{Value: 1},
		stream.Notification[int]{Done: true, Err: errors.New("lost")},
	)
	fmt.Println(stream.Dematerialize(received).Collect(context.Background()))
	// Output: [1] lost
}
