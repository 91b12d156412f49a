package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/stream"
)

// An observable is built from a source by operators; nothing happens until a terminal subscribes.
func Example() {
	words := stream.Just("to", "be", "or", "not", "to", "be")
	short := stream.Filter(words, func(w string) bool { return len(w) == 2 })
	fresh := stream.Distinct(short, func(w string) string { return w })
	upper := stream.Map(fresh, strings.ToUpper)

	err := upper.ForEach(context.Background(), func(w string) error {
		fmt.Println(w)
		return nil
	})
	fmt.Println("ended with", err)
	// Output:
	// TO
	// BE
	// OR
	// ended with <nil>
}

// Anything that keeps the contract is an observable. This one counts, and stops when it is told to.
func ExampleObservable() {
	countdown := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
		for i := 3; i > 0; i-- {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(i) {
				return nil
			}
		}
		return nil
	})
	fmt.Println(countdown.Collect(context.Background()))
	// Output: [3 2 1] <nil>
}

// All makes a loop, in which break and return end the subscription. The error comes last.
func ExampleObservable_All() {
	source := stream.Concat(stream.Just(1, 2), stream.Fail[int](errors.New("no more")))
	for v, err := range source.All(context.Background()) {
		if err != nil {
			fmt.Println("error:", err)
			break
		}
		fmt.Println(v)
	}
	// Output:
	// 1
	// 2
	// error: no more
}

// Chan is for a select among other channels. Whoever stops reading calls stop, which waits until
// the subscription is gone.
func ExampleObservable_Chan() {
	endless := stream.FromSeq(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	values, stop := endless.Chan(context.Background(), 0)
	timeout := time.After(time.Minute)
	for range 3 {
		select {
		case v := <-values:
			fmt.Println(v)
		case <-timeout:
			fmt.Println("timeout")
		}
	}
	fmt.Println("stopped with", stop())
	// Output:
	// 0
	// 1
	// 2
	// stopped with <nil>
}

// First, Collect and Count are for when only the outcome matters.
func ExampleObservable_First() {
	ctx := context.Background()
	fmt.Println(stream.Just("a", "b").First(ctx))
	_, err := stream.Empty[string]().First(ctx)
	fmt.Println(err == stream.ErrEmpty)
	fmt.Println(stream.Just("a", "b").Count(ctx))
	// Output:
	// a <nil>
	// true
	// 2 <nil>
}

// A parser that is an iterator becomes a source.
func ExampleFromSeq2() {
	lines := func(text string) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			scanner := bufio.NewScanner(strings.NewReader(text))
			for scanner.Scan() {
				if !yield(scanner.Text(), nil) {
					return
				}
			}
			if err := scanner.Err(); err != nil {
				yield("", err)
			}
		}
	}
	fmt.Println(stream.FromSeq2(lines("a\nb")).Collect(context.Background()))
	// Output: [a b] <nil>
}

// Polling is a request for each tick. ConcatMap lets none overlap.
func ExampleFromFunc() {
	revision := 0
	fetch := stream.FromFunc(func(context.Context) (int, error) {
		revision++
		return revision / 2, nil
	})
	polled := stream.ConcatMap(stream.Interval(time.Millisecond), func(time.Time) stream.Observable[int] { return fetch })
	changes := stream.DistinctUntilChanged(polled, func(v int) int { return v })

	fmt.Println(stream.Take(changes, 3).Collect(context.Background()))
	// Output: [0 1 2] <nil>
}

// State that a subscription modifies is made for it, so that the next finds none of it.
func ExampleDefer() {
	words := stream.Just("a", "b", "a")
	counts := stream.Defer(func() stream.Observable[map[string]int] {
		return stream.Reduce(words, map[string]int{}, func(counts map[string]int, w string) map[string]int {
			counts[w]++
			return counts
		})
	})
	for range 2 {
		fmt.Println(counts.First(context.Background()))
	}
	// Output:
	// map[a:2 b:1] <nil>
	// map[a:2 b:1] <nil>
}

// The first error of the function stops the source.
func ExampleMapErr() {
	fmt.Println(stream.MapErr(stream.Just("1", "2", "x", "3"), strconv.Atoi).Collect(context.Background()))
	// Output: [1 2] strconv.Atoi: parsing "x": invalid syntax
}

func ExampleScan() {
	deposits := stream.Just(10, -3, 5)
	balances := stream.Scan(deposits, 100, func(balance, deposit int) int { return balance + deposit })
	fmt.Println(balances.Collect(context.Background()))
	// Output: [110 107 112] <nil>
}

// The last batch is what is left. An error drops it.
func ExampleBatchCount() {
	rows := stream.Just(1, 2, 3, 4, 5)
	fmt.Println(stream.BatchCount(rows, 2).Collect(context.Background()))
	failing := stream.Concat(rows, stream.Fail[int](errors.New("connection lost")))
	fmt.Println(stream.BatchCount(failing, 2).Collect(context.Background()))
	// Output:
	// [[1 2] [3 4] [5]] <nil>
	// [[1 2] [3 4]] connection lost
}

// The notifier may be anything: a timer, a signal, another stream.
func ExampleTakeUntil() {
	quit := make(chan struct{})
	ticks := stream.Tap(stream.Interval(time.Millisecond), func(time.Time) {
		select {
		case <-quit:
		default:
			close(quit)
		}
	})
	// The close of quit is its completion; that makes it a value.
	closed := stream.Concat(stream.FromChan(quit), stream.Just(struct{}{}))
	err := stream.TakeUntil(ticks, closed).ForEach(context.Background(), func(time.Time) error { return nil })
	fmt.Println(err)
	// Output: <nil>
}

// A cached state is just an earlier first value.
func ExampleConcat() {
	cached, live := stream.Just("state of yesterday"), stream.Just("state", "change")
	fmt.Println(stream.Concat(cached, live).Count(context.Background()))
	fmt.Println(stream.StartWith(live, "hello").Collect(context.Background()))
	// Output:
	// 3 <nil>
	// [hello state change] <nil>
}

func ExampleCatch() {
	primary := stream.Concat(stream.Just("primary"), stream.Fail[string](errors.New("down")))
	either := stream.Catch(primary, func(err error) stream.Observable[string] {
		return stream.Just("secondary, as the primary is " + err.Error())
	})
	fmt.Println(either.Collect(context.Background()))
	// Output: [primary secondary, as the primary is down] <nil>
}

// A policy sees each error and says how long to wait.
func ExampleRetry() {
	attempts := 0
	unstable := stream.Defer(func() stream.Observable[string] {
		if attempts++; attempts < 3 {
			return stream.Fail[string](fmt.Errorf("attempt %d", attempts))
		}
		return stream.Just("connected")
	})
	patient := stream.Retry(unstable, func() stream.RetryPolicy {
		left := 5
		return func(err error) time.Duration {
			if left--; left < 0 {
				return backoff.Stop
			}
			fmt.Println("retrying after", err)
			return time.Millisecond
		}
	})
	fmt.Println(patient.First(context.Background()))
	// Output:
	// retrying after attempt 1
	// retrying after attempt 2
	// connected <nil>
}

// For ever, with delays that grow to 30 seconds; but not if the error is marked as permanent.
func ExampleBackoff() {
	policy := stream.Backoff(func() backoff.BackOff {
		return backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(time.Millisecond),
			backoff.WithMaxInterval(30*time.Second),
			backoff.WithMaxElapsedTime(0),
		)
	})
	attempts := 0
	login := stream.FromFunc(func(context.Context) (string, error) {
		if attempts++; attempts == 1 {
			return "", errors.New("no answer")
		}
		return "", backoff.Permanent(errors.New("wrong password"))
	})
	_, err := stream.Retry(login, policy).First(context.Background())
	fmt.Println(attempts, err)
	// Output: 2 wrong password
}

// As values, errors pass through what would end at them.
func ExampleMaterialize() {
	flaky := stream.Concat(stream.Just(1, 2), stream.Fail[int](errors.New("lost")))
	_ = stream.Materialize(flaky).ForEach(context.Background(), func(n stream.Notification[int]) error {
		fmt.Println(n.Value, n.Done, n.Err)
		return nil
	})
	// Output:
	// 1 false <nil>
	// 2 false <nil>
	// 0 true lost
}
