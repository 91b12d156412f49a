package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// surprises shows each row of the README's table of differences. What differs elsewhere is for the
// programs of MIGRATION.md to show.
var surprises = map[string]func(*testing.T){
	"Subscribing waits for the end": func(t *testing.T) {
		start := time.Now()
		_, _ = stream.Timer(time.Hour).Collect(t.Context())
		check(t, time.Since(start) == time.Hour)
	},
	"A cancelled context is no failure": func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		heard := false
		hear := func(error) ints { heard = true; return stream.Just(1) }
		caught := stream.Catch(stream.Never[int](), hear)
		retried := stream.Retry(caught, func() stream.RetryPolicy {
			return func(error) time.Duration { heard = true; return -1 }
		})
		_, err := stream.Materialize(retried).First(ctx)
		check(t, err == errCause && !heard)
		timedOut := stream.Timeout(stream.Never[int](), time.Hour)
		value, err := stream.Catch(timedOut, hear).First(t.Context())
		check(t, value == 1 && err == nil && heard)
	},
	"FlatMap mixes, n at a time": func(t *testing.T) {
		later := stream.Map(stream.Timer(time.Second), func(time.Time) int { return 1 })
		start := time.Now()
		values, _ := stream.FlatMap(stream.Just(later, stream.Just(2), later), 2, func(o ints) ints { return o }).Collect(t.Context())
		check(t, slices.Equal(values, []int{2, 1, 1}) && time.Since(start) == time.Second)
	},
	"Callbacks in front of a Merge may run concurrently": func(t *testing.T) {
		var running, most atomic.Int32
		count := func(int) {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
		}
		o := stream.Merge(stream.Tap(stream.Just(1), count), stream.Tap(stream.Just(2), count))
		_, _ = o.Collect(t.Context())
		check(t, most.Load() == 2)
		most.Store(0)
		_, _ = stream.Tap(stream.Merge(stream.Just(1), stream.Just(2)), count).Collect(t.Context())
		check(t, most.Load() == 1)
	},
	"Interval and Timer yield times": func(t *testing.T) {
		ticked, _ := stream.Interval(time.Second).First(t.Context())
		rang, _ := stream.Timer(time.Second).First(t.Context())
		check(t, rang.Sub(ticked) == time.Second)
	},
	"Scan and Reduce start from a seed": func(t *testing.T) {
		scanned, _ := stream.Scan(stream.Just(1, 2), 10, plus).Collect(t.Context())
		reduced, _ := stream.Reduce(stream.Empty[int](), 10, plus).Collect(t.Context())
		check(t, slices.Equal(scanned, []int{11, 13}) && slices.Equal(reduced, []int{10}))
		seen := stream.Reduce(stream.Just(1, 2), map[int]int{}, func(n map[int]int, v int) map[int]int { n[v]++; return n })
		_, _ = seen.First(t.Context())
		twice, _ := seen.First(t.Context())
		check(t, twice[1] == 2)
	},
	"Take completes with its last value": func(t *testing.T) {
		values, err := stream.Take(stream.StartWith(stream.Never[int](), 1), 1).Collect(t.Context())
		check(t, len(values) == 1 && err == nil)
	},
	"Share begins anew after the end": func(t *testing.T) {
		begun := 0
		shared := stream.Share(stream.Defer(func() ints { begun++; return stream.Just(begun) }), stream.Policy[int]{})
		for i := range 2 {
			v, _ := shared.First(t.Context())
			check(t, v == i+1)
		}
	},
	"A slow subscriber makes the publisher wait": func(t *testing.T) {
		subject := stream.NewSubject[int]()
		var subscriber sync.WaitGroup
		defer subscriber.Wait()
		defer subject.Close(nil)
		subscriber.Go(func() {
			_ = subject.Observe(stream.Policy[int]{}, nil).ForEach(t.Context(), func(int) error {
				time.Sleep(time.Second)
				return nil
			})
		})
		synctest.Wait()
		start := time.Now()
		for range 1000 {
			_ = subject.Publish(t.Context(), 1)
		}
		check(t, time.Since(start) > 100*time.Second)
	},
	"The completion of a notifier means nothing": func(t *testing.T) {
		empty := stream.Empty[int]()
		const none, two = "[] <nil>", "[1 2] <nil>"
		check(t, outcomeOf(t, stream.TakeUntil(spaced(stream.Just(1, 2)), empty)) == two)
		check(t, outcomeOf(t, stream.SkipUntil(spaced(stream.Just(1, 2)), empty)) == none)
		check(t, outcomeOf(t, stream.SampleWhen(spaced(stream.Just(1, 2)), empty)) == none)
		check(t, outcomeOf(t, stream.BatchWhen(spaced(stream.Just(1, 2)), empty)) == "[[1 2]] <nil>")
	},
	"GroupBy takes a function for each group": func(t *testing.T) {
		counts := stream.GroupBy(stream.Just("a", "b", "a"), strings.ToUpper, stream.Policy[string]{},
			func(key string, group stream.Observable[string]) stream.Observable[string] {
				return stream.Reduce(group, key, func(soFar, v string) string { return soFar + v })
			})
		values, _ := counts.Collect(t.Context())
		slices.Sort(values)
		check(t, slices.Equal(values, []string{"Aaa", "Bb"}))
	},
	"Race may hold a value back": func(t *testing.T) {
		ready, _ := stream.Race(stream.Just(1), stream.Just(2)).First(t.Context())
		start := time.Now()
		waiting, _ := stream.Race(stream.Never[int](), stream.Just(2)).First(t.Context())
		check(t, ready == 1 && waiting == 2 && time.Since(start) == 0)
		_, _ = stream.Race(polling, stream.Just(2)).First(t.Context())
		check(t, time.Since(start).Round(10*time.Millisecond) == 100*time.Millisecond)
	},
	"FromSeq cannot be interrupted": func(t *testing.T) {
		start := time.Now()
		slow := func(yield func(int) bool) {
			time.Sleep(time.Hour)
			yield(1)
		}
		_, err := stream.Timeout(stream.FromSeq(slow), time.Second).Collect(t.Context())
		check(t, errors.Is(err, stream.ErrTimeout) && time.Since(start) == time.Hour)
	},
}

// TestSurprises: every row of the table has something that shows it.
func TestSurprises(t *testing.T) {
	shown := 0
	for _, row := range rows(t, "Differences that will surprise you")[2:] {
		show := surprises[row[0]]
		if show == nil {
			t.Errorf("nothing shows that %q", row[0])
			continue
		}
		shown++
		t.Run(row[0], func(t *testing.T) { synctest.Test(t, show) })
	}
	if shown != len(surprises) {
		t.Errorf("%d surprises are not in the README", len(surprises)-shown)
	}
}

func outcomeOf[T any](t *testing.T, o stream.Observable[T]) string {
	return fmt.Sprint(o.Collect(t.Context()))
}

func check(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Error("it does not")
	}
}
