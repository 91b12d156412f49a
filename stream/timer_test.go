package stream_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// since is what o yields as durations since the subscription.
func since(o stream.Observable[time.Time]) stream.Observable[time.Duration] {
	return stream.Defer(func() stream.Observable[time.Duration] {
		start := time.Now()
		return stream.Map(o, func(now time.Time) time.Duration { return now.Sub(start) })
	})
}

func TestInterval(t *testing.T) {
	streamtest.Test(t, func() stream.Observable[time.Duration] { return since(stream.Interval(time.Second)) },
		[]time.Duration{time.Second, 2 * time.Second, 3 * time.Second}, &streamtest.Options{Endless: true, Lossy: true})
}

func TestTimer(t *testing.T) {
	for _, d := range []time.Duration{time.Hour, 0} {
		t.Run(d.String(), func(t *testing.T) {
			streamtest.Test(t, func() stream.Observable[time.Duration] { return since(stream.Timer(d)) }, []time.Duration{d}, nil)
		})
	}
}

// TestIntervalDoesNotCatchUp: while the subscriber is busy, one tick waits and the others are not
// made up for.
func TestIntervalDoesNotCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []time.Duration
		busy := []time.Duration{5500 * time.Millisecond, 0, 0}
		err := stream.Take(since(stream.Interval(time.Second)), 4).ForEach(t.Context(), func(d time.Duration) error {
			got = append(got, d)
			if len(got) <= len(busy) {
				time.Sleep(busy[len(got)-1])
			}
			return nil
		})
		want := []time.Duration{time.Second, 2 * time.Second, 7 * time.Second, 8 * time.Second}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("ticks at %v, want %v; %v", got, want, err)
		}
	})
}

// TestTakeUntil: what a notifier does, and when, against a tick every minute.
func TestTakeUntil(t *testing.T) {
	at := func(d time.Duration, then ints) ints {
		return stream.ConcatMap(stream.Timer(d), func(time.Time) ints { return then })
	}
	const between = 150 * time.Second // the second and the third tick
	for _, test := range []struct {
		name     string
		notifier ints
		want     sequence
	}{
		{"a value", at(between, stream.Just(1)), sequence{values: []int{1, 2}}},
		{"a value and more", at(between, stream.FromSeq(naturals)), sequence{values: []int{1, 2}}},
		{"a value and a failure", at(between, failing()), sequence{values: []int{1, 2}}},
		{"a failure", at(between, stream.Fail[int](errMap)), sequence{values: []int{1, 2}, err: errMap}},
		{"completion", at(between, stream.Empty[int]()), sequence{values: []int{1, 2, 3, 4}, endless: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			// A slow subscriber sees less before the notifier ends it.
			streamtest.Test(t, func() ints { return stream.TakeUntil(ticks, test.notifier) }, test.want.values,
				&streamtest.Options{Err: test.want.err, Endless: test.want.endless, Lossy: true})
		})
	}
}

// TestTakeUntilDuringYield: a notifier that fires, or fails, while the subscriber is busy ends even
// a source that would go on without a look at its context.
func TestTakeUntilDuringYield(t *testing.T) {
	for _, notifier := range []ints{stream.Just(1), stream.Fail[int](errMap)} {
		synctest.Test(t, func(t *testing.T) {
			later := stream.ConcatMap(stream.Timer(time.Second), func(time.Time) ints { return notifier })
			values, err := stream.TakeUntil(stream.Tap(rude, func(int) { time.Sleep(time.Minute) }), later).Collect(t.Context())
			_, want := notifier.Count(t.Context())
			if len(values) != 0 || err != want {
				t.Errorf("%v, then %v, want %v", values, err, want)
			}
		})
	}
}

// TestTakeUntilWaitsForItsNotifier: it has returned only when the notifier has, though that may
// take a moment.
func TestTakeUntilWaitsForItsNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := false
		notifier := func(ctx context.Context, _ func(int) bool) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			gone = true
			return context.Cause(ctx)
		}
		if _, err := stream.TakeUntil(stream.Just(1), notifier).Collect(t.Context()); err != nil || !gone {
			t.Errorf("returned %v before the notifier", err)
		}
	})
}
