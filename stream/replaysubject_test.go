package stream_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// TestReplaySubjectConforms: with values and an end to replay, it is like any other source.
func TestReplaySubjectConforms(t *testing.T) {
	for _, end := range []error{nil, errEnd} {
		t.Run(fmt.Sprint(end), func(t *testing.T) {
			streamtest.Test(t, func() ints {
				r := stream.NewReplaySubject[int](3, 0)
				_ = r.Publish(context.Background(), 1, 2, 3, 4)
				r.Close(end)
				return r.Observe(stream.Block[int](1))
			}, []int{2, 3, 4}, &streamtest.Options{Err: end})
		})
	}
	t.Run("open", func(t *testing.T) {
		streamtest.Test(t, func() ints {
			r := stream.NewReplaySubject[int](3, 0)
			_ = r.Publish(context.Background(), 1, 2)
			return r.Observe(stream.Block[int](1))
		}, []int{1, 2}, &streamtest.Options{Endless: true})
	})
}

// TestReplaySubjectRemembers what a naive model does: all values, of which a newcomer gets the last n
// that are young enough.
func TestReplaySubjectRemembers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.SampledFrom([]int{1, 2, 20, math.MaxInt}).Draw(rt, "n")
		maxAge := time.Duration(rapid.SampledFrom([]int{0, 2, 6}).Draw(rt, "maxAge")) * time.Second
		// Positive steps publish, negative ones let time pass, and 0 subscribes.
		steps := rapid.SliceOfN(rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 8, -1, -1, 0}), 40, 120).Draw(rt, "steps")
		var fault string
		synctest.Test(t, func(t *testing.T) {
			r := stream.NewReplaySubject[int](n, maxAge)
			var values []int
			var times []time.Time
			for _, step := range append(steps, 0) {
				switch {
				case step > 0:
					_ = r.Publish(t.Context(), step)
					values, times = append(values, step), append(times, time.Now())
					continue
				case step < 0:
					time.Sleep(time.Duration(-step) * time.Second)
					continue
				}
				young := 0
				for young < len(times) && maxAge > 0 && time.Since(times[young]) >= maxAge {
					young++
				}
				want := values[max(young, len(values)-n):]
				if got := replayed(t, r); !slices.Equal(got, want) {
					fault = fmt.Sprintf("got %v, want %v", got, want)
				}
			}
		})
		if fault != "" {
			rt.Error(fault)
		}
	})
}

// replayed is what a newcomer gets at once.
func replayed(t *testing.T, r *stream.ReplaySubject[int]) []int {
	ctx, cancel := context.WithCancel(t.Context())
	var got []int
	var newcomer sync.WaitGroup
	newcomer.Go(func() { got, _ = r.Observe(stream.Policy[int]{}).Collect(ctx) })
	synctest.Wait()
	cancel()
	newcomer.Wait()
	return got
}

// TestReplaySubjectMissesNothing: who comes at any time sees the values from one on, each once.
func TestReplaySubjectMissesNothing(t *testing.T) {
	const last = 2000
	r := stream.NewReplaySubject[int](5, 0)
	var subscribers sync.WaitGroup
	for i := range 20 {
		subscribers.Go(func() {
			first, err := r.Observe(stream.Policy[int]{}).First(t.Context())
			for i > 0 && err == nil && first < i*last/20 {
				first, err = r.Observe(stream.Policy[int]{}).First(t.Context())
			}
			values, err := r.Observe(stream.Policy[int]{}).Collect(t.Context())
			for k, v := range values {
				if v != values[0]+k {
					t.Errorf("%d follows %d values from %d on", v, k, values[0])
					break
				}
			}
			if len(values) == 0 || values[len(values)-1] != last || err != errEnd {
				t.Errorf("%d values, then %v", len(values), err)
			}
		})
	}
	for v := range last {
		if err := r.Publish(t.Context(), v+1); err != nil {
			t.Error(err)
		}
	}
	r.Close(errEnd)
	subscribers.Wait()
	if err := r.Publish(t.Context(), 0); err != stream.ErrClosed {
		t.Errorf("publishing to a closed one returned %v", err)
	}
	if n := len(r.Subscribers()); n != 0 || r.Totals().Delivered == 0 {
		t.Errorf("%d subscribers, %+v", n, r.Totals())
	}
}

// TestReplaySubjectForgets: it takes memory only for the values that are young enough, however many there
// have been.
func TestReplaySubjectForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := stream.NewReplaySubject[int](math.MaxInt, time.Minute)
		_ = r.Publish(t.Context(), make([]int, 100_000)...)
		if room := r.Room(); room < 100_000 {
			t.Errorf("memory for %d values while they are young", room)
		}
		time.Sleep(time.Minute)
		_ = r.Publish(t.Context(), 1)
		if room := r.Room(); room > 100 {
			t.Errorf("memory for %d values after they are old", room)
		}
		if got := replayed(t, r); !slices.Equal(got, []int{1}) {
			t.Error(got)
		}
	})
}
