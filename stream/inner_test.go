package stream_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// FlatMap yields every inner value, each inner observable's in order, and never runs more than n.
func TestFlatMapBoundsWhatRuns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(rt, "n")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 20).Draw(rt, "pauses")
		var most int
		var got []int
		synctest.Test(t, func(t *testing.T) {
			started := make(chan int, 1) // holds how many run
			started <- 0
			o := stream.FlatMap(stream.Just(pauses...), n, func(p int) stream.Observable[int] {
				return stream.Defer(func() stream.Observable[int] {
					running := <-started + 1
					most = max(most, running)
					started <- running
					pause := time.Duration(p) * time.Second
					return stream.Concat(paced(pause, pause, nil, p, p), stream.Defer(func() stream.Observable[int] {
						started <- <-started - 1
						return stream.Empty[int]()
					}))
				})
			})
			got, _ = o.Collect(t.Context())
		})
		want := slices.Concat(pauses, pauses)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			rt.Errorf("got %v, want %v", got, want)
		}
		if most > n {
			rt.Errorf("%d at a time, want %d", most, n)
		}
	})
}

// Once the outer source has passed a value on, nothing older comes: neither with real concurrency,
// nor with many values of the older one waiting.
func TestSwitchMapLetsNothingOldThrough(t *testing.T) {
	const outer = 2000
	var latest atomic.Int64 // the outer value that was passed on last
	source := stream.Observable[int](func(_ context.Context, yield func(int) bool) error {
		for i := range outer {
			if !yield(i) {
				return nil
			}
			latest.Store(int64(i))
		}
		return nil
	})
	last := -1
	o := stream.SwitchMap(source, func(v int) stream.Observable[int] {
		return stream.Map(numbers(1000), func(int) int { return v })
	})
	n := 0
	err := o.ForEach(t.Context(), func(v int) error {
		if passed := int(latest.Load()); v < passed || v < last {
			t.Errorf("got a value of %d after %d", v, max(passed, last))
		}
		last = v
		n++
		return nil
	})
	if err != nil || last != outer-1 || n < 1000 {
		t.Errorf("%d values, the last of %d; error %v", n, last, err)
	}
}

// offsets are times with the given gaps between them, at odd milliseconds.
func offsets(gaps []int) []time.Duration {
	at := make([]time.Duration, len(gaps))
	sum := -time.Millisecond
	for i, gap := range gaps {
		sum += time.Duration(2*gap+2) * time.Millisecond
		at[i] = sum
	}
	return at
}

// scheduled yields i at the time at[i] after the subscription.
func scheduled(at []time.Duration) ints {
	return func(ctx context.Context, yield func(int) bool) error {
		begin := time.Now()
		for i, d := range at {
			select {
			case <-time.After(d - time.Since(begin)):
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(i) {
				return nil
			}
		}
		return nil
	}
}

// SwitchMap yields, of each inner observable, exactly the values before the next outer one. (Outer
// values come at odd milliseconds, and so the inner ones at even.)
func TestSwitchMapKeepsToTheSchedule(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		outer := offsets(rapid.SliceOfN(rapid.IntRange(0, 10), 1, 6).Draw(rt, "outer gaps"))
		inner := make([][]time.Duration, len(outer))
		var want []int
		for i := range outer {
			inner[i] = offsets(rapid.SliceOfN(rapid.IntRange(0, 5), 0, 6).Draw(rt, "inner gaps"))
			for k, d := range inner[i] {
				if i+1 == len(outer) || outer[i]+d < outer[i+1] {
					want = append(want, 100*i+k)
				}
			}
		}
		var got []int
		var err error
		synctest.Test(t, func(t *testing.T) {
			got, err = stream.SwitchMap(scheduled(outer), func(i int) ints {
				return stream.Map(scheduled(inner[i]), func(k int) int { return 100*i + k })
			}).Collect(t.Context())
		})
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("got %v, %v, want %v", got, err, want)
		}
	})
}

// A new outer value overtakes the older inner values that wait for a slow subscriber.
func TestSwitchMapDropsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer := paced(time.Second, time.Second, nil, 1, 2)
		o := stream.SwitchMap(outer, func(v int) stream.Observable[int] { return stream.Just(10*v, 10*v+1, 10*v+2) })
		var got []int
		err := o.ForEach(t.Context(), func(v int) error {
			got = append(got, v)
			time.Sleep(900 * time.Millisecond)
			return nil
		})
		if want := []int{10, 11, 20, 21, 22}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	})
}

// TestFlatMapBeginsNothingAfterAnError: the values of another inner observable might come before the error.
func TestFlatMapBeginsNothingAfterAnError(t *testing.T) {
	for range 200 {
		begun := 0 // on the goroutine of the source, which has ended when Collect returns
		inner := func(int) ints {
			begun++
			return stream.Fail[int](errEnd)
		}
		if values, err := stream.FlatMap(stream.FromSeq(naturals), 1, inner).Collect(t.Context()); len(values) > 0 || err != errEnd {
			t.Fatalf("%v, %v", values, err)
		}
		if begun != 1 {
			t.Fatalf("%d were begun", begun)
		}
	}
}
