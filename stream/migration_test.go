package stream_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/stream"
)

// The programs of MIGRATION.md. Those of RxGo are in package rx, and those of ro in module bench.

func Example_migrateList() {
	ctx := context.Background()
	evens := stream.Filter(stream.Just(1, 2, 3, 4), func(n int) bool { return n%2 == 0 })
	squares := stream.Map(evens, func(n int) int { return n * n })
	fmt.Println(squares.Collect(ctx))
	// Output: [4 16] <nil>
}

func Example_migrateChannel() {
	ctx := context.Background()
	lines := make(chan string, 3)
	lines <- "1"
	lines <- "2"
	lines <- "x"
	numbers := stream.MapErr(stream.FromChan(lines), strconv.Atoi)
	for n, err := range numbers.All(ctx) {
		if err != nil {
			fmt.Println("ended:", err)
			break
		}
		fmt.Println(n)
	}
	// Output:
	// 1
	// 2
	// ended: strconv.Atoi: parsing "x": invalid syntax
}

func Example_migrateSource() {
	ctx := context.Background()
	countdown := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
		for n := 3; n > 0; n-- {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(n) {
				return nil
			}
		}
		return nil
	})
	fmt.Println(countdown.Collect(ctx))
	// Output: [3 2 1] <nil>
}

func Example_migratePoll() {
	ctx, status := context.Background(), newStatus()
	polls := stream.ConcatMap(stream.IntervalWithInitial(0, time.Millisecond), func(time.Time) stream.Observable[string] {
		return stream.FromFunc(status)
	})
	done := stream.Filter(polls, func(s string) bool { return s == "done" })
	fmt.Println(done.First(ctx))
	// Output: done <nil>
}

func Example_migrateRetry() {
	ctx, fetch := context.Background(), newFetch()
	patient := stream.Retry(stream.FromFunc(fetch), stream.Backoff(func() backoff.BackOff {
		return backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Millisecond), 3)
	}))
	fmt.Println(patient.First(ctx))
	// Output: page <nil>
}

func Example_migrateBatches() {
	ctx := context.Background()
	batches := stream.BatchTime(stream.Just(1, 2, 3, 4, 5), 2, time.Minute)
	fmt.Println(batches.Collect(ctx))
	// Output: [[1 2] [3 4] [5]] <nil>
}

func Example_migrateParallel() {
	ctx := context.Background()
	squares := stream.MapParallel(stream.Just(1, 2, 3), 4, func(_ context.Context, n int) (int, error) {
		return n * n, nil
	})
	fmt.Println(squares.Collect(ctx))
	// Output: [1 4 9] <nil>
}

func Example_migrateRequests() {
	ctx := context.Background()
	load := func(id int) stream.Observable[int] { return stream.Just(id, 10*id) }
	rows := stream.FlatMap(stream.Just(1, 2, 3), 4, load)
	fmt.Println(rows.Count(ctx))
	// Output: 6 <nil>
}

func Example_migrateFallback() {
	ctx := context.Background()
	primary := stream.Fail[string](errors.New("down"))
	either := stream.Catch(primary, func(err error) stream.Observable[string] {
		return stream.Just("secondary")
	})
	fmt.Println(either.Collect(ctx))
	// Output: [secondary] <nil>
}

func Example_migrateSubject() {
	ctx := context.Background()
	news := stream.NewReplaySubject[string](10, 0)
	_ = news.Publish(ctx, "one", "two")
	news.Close(nil)
	fmt.Println(news.Observe(stream.Block[string](16)).Collect(ctx))
	fmt.Println(news.Observe(stream.Block[string](16)).Collect(ctx))
	// Output:
	// [one two] <nil>
	// [one two] <nil>
}

// newStatus returns a job's status, which is "done" at the third question.
func newStatus() func(context.Context) (string, error) {
	asked := 0
	return func(context.Context) (string, error) {
		if asked++; asked < 3 {
			return "running", nil
		}
		return "done", nil
	}
}

// newFetch returns a request that succeeds at the third attempt.
func newFetch() func(context.Context) (string, error) {
	attempts := 0
	return func(context.Context) (string, error) {
		if attempts++; attempts < 3 {
			return "", errors.New("no answer")
		}
		return "page", nil
	}
}
