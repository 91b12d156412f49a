// Package migration has the programs of stream/MIGRATION.md as they are with samber/ro.
package migration

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/samber/ro"
)

func Example_migrateList() {
	squares := ro.Pipe2(
		ro.Just(1, 2, 3, 4),
		ro.Filter(func(n int) bool { return n%2 == 0 }),
		ro.Map(func(n int) int { return n * n }),
	)
	fmt.Println(ro.Collect(squares))
	// Output: [4 16] <nil>
}

func Example_migrateChannel() {
	lines := make(chan string, 3)
	lines <- "1"
	lines <- "2"
	lines <- "x"
	numbers := ro.Pipe1(ro.FromChannel(lines), ro.MapErr(strconv.Atoi))
	numbers.Subscribe(ro.NewObserver(
		func(n int) { fmt.Println(n) },
		func(err error) { fmt.Println("ended:", err) },
		func() {},
	)).Wait()
	// Output:
	// 1
	// 2
	// ended: strconv.Atoi: parsing "x": invalid syntax
}

func Example_migrateSource() {
	countdown := ro.NewObservableWithContext(func(ctx context.Context, destination ro.Observer[int]) ro.Teardown {
		for n := 3; n > 0 && !destination.IsClosed(); n-- {
			destination.NextWithContext(ctx, n)
		}
		destination.CompleteWithContext(ctx)
		return nil
	})
	fmt.Println(ro.Collect(countdown))
	// Output: [3 2 1] <nil>
}

func Example_migratePoll() {
	ctx, status := context.Background(), newStatus()
	done := ro.Pipe3(
		ro.Interval(time.Millisecond),
		ro.MapErr(func(int64) (string, error) { return status(ctx) }),
		ro.Filter(func(s string) bool { return s == "done" }),
		ro.Take[string](1),
	)
	fmt.Println(ro.Collect(done))
	// Output: [done] <nil>
}

func Example_migrateRetry() {
	ctx, fetch := context.Background(), newFetch()
	patient := ro.Pipe1(
		ro.Future(func() (string, error) { return fetch(ctx) }),
		ro.RetryWithConfig[string](ro.RetryConfig{MaxRetries: 3, Delay: time.Millisecond}),
	)
	fmt.Println(ro.Collect(patient))
	// Output: [page] <nil>
}

func Example_migrateBatches() {
	batches := ro.Pipe1(ro.Just(1, 2, 3, 4, 5), ro.BufferWithTimeOrCount[int](2, time.Minute))
	fmt.Println(ro.Collect(batches))
	// Output: [[1 2] [3 4] [5]] <nil>
}

func Example_migrateRequests() {
	load := func(id int) ro.Observable[int] { return ro.Just(id, 10*id) }
	rows := ro.Pipe2(ro.Just(1, 2, 3), ro.MergeMap(load), ro.Count[int]())
	fmt.Println(ro.Collect(rows))
	// Output: [6] <nil>
}

func Example_migrateFallback() {
	primary := ro.Throw[string](errors.New("down"))
	either := ro.Pipe1(primary, ro.Catch(func(err error) ro.Observable[string] {
		return ro.Just("secondary")
	}))
	fmt.Println(ro.Collect(either))
	// Output: [secondary] <nil>
}

func Example_migrateSubject() {
	news := ro.NewReplaySubject[string](10)
	news.Next("one")
	news.Next("two")
	news.Complete()
	fmt.Println(ro.Collect(news.AsObservable()))
	fmt.Println(ro.Collect(news.AsObservable()))
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
