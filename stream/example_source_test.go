package stream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

func ExampleJust() {
	fmt.Println(stream.Just("a", "b").Collect(context.Background()))
	// Output: [a b] <nil>
}

func ExampleFromSlice() {
	names := []string{"Ann", "Bob"}
	fmt.Println(stream.FromSlice(names).Last(context.Background()))
	// Output: Bob <nil>
}

// Whatever can be ranged over is a source.
func ExampleFromSeq() {
	fmt.Println(stream.FromSeq(strings.SplitSeq("a,b,c", ",")).Collect(context.Background()))
	// Output: [a b c] <nil>
}

// The close of the channel completes the sequence.
func ExampleFromChan() {
	jobs := make(chan string, 2)
	jobs <- "build"
	jobs <- "test"
	close(jobs)
	fmt.Println(stream.FromChan(jobs).Collect(context.Background()))
	// Output: [build test] <nil>
}

func ExampleEmpty() {
	fmt.Println(stream.Empty[int]().Count(context.Background()))
	// Output: 0 <nil>
}

// Only the context ends it.
func ExampleNever() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	fmt.Println(stream.Never[int]().Count(ctx))
	// Output: 0 enough
}

func ExampleFail() {
	fmt.Println(stream.Fail[int](errors.New("out of paper")).First(context.Background()))
	// Output: 0 out of paper
}

func ExampleTimer() {
	fmt.Println(stream.Timer(time.Millisecond).Count(context.Background()))
	// Output: 1 <nil>
}

func ExampleInterval() {
	fmt.Println(stream.Take(stream.Interval(time.Millisecond), 3).Count(context.Background()))
	// Output: 3 <nil>
}

// To poll is to ask at once and then at each tick. A request that fails does not end it here.
func ExampleIntervalWithInitial() {
	requests := 0
	fetch := stream.FromFunc(func(context.Context) (string, error) {
		if requests++; requests == 2 {
			return "", errors.New("no answer")
		}
		return fmt.Sprint("status ", requests), nil
	})
	polls := stream.ConcatMap(stream.IntervalWithInitial(0, time.Millisecond), func(time.Time) stream.Observable[string] {
		return stream.OnErrorResume(fetch, stream.Empty[string]())
	})
	fmt.Println(stream.Take(polls, 2).Collect(context.Background()))
	// Output: [status 1 status 3] <nil>
}

// ForEach ends with the first error, be it the sequence's or the function's.
func ExampleObservable_ForEach() {
	err := stream.Just(1, 2, 3).ForEach(context.Background(), func(n int) error {
		if n > 2 {
			return fmt.Errorf("%d is too many", n)
		}
		fmt.Println(n)
		return nil
	})
	fmt.Println(err)
	// Output:
	// 1
	// 2
	// 3 is too many
}

// An error does not take away what came before it.
func ExampleObservable_Collect() {
	source := stream.Concat(stream.Just(1, 2), stream.Fail[int](errors.New("lost")))
	fmt.Println(source.Collect(context.Background()))
	// Output: [1 2] lost
}

func ExampleObservable_Last() {
	fmt.Println(stream.Just("draft", "final").Last(context.Background()))
	// Output: final <nil>
}

func ExampleObservable_Count() {
	fmt.Println(stream.Just("a", "b", "c").Count(context.Background()))
	// Output: 3 <nil>
}
