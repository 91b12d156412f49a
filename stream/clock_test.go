package stream_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// Debounce and Sample drop values, so that their source need never wait for the subscriber. At the end
// Debounce yields the value that waits, and Sample drops it.
func TestTimeOperatorsDoNotHoldUpTheirSource(t *testing.T) {
	type operator func(stream.Observable[int], time.Duration) stream.Observable[int]
	for name, op := range map[string]operator{"Debounce": stream.Debounce[int], "Sample": stream.Sample[int]} {
		want := map[string][]int{"Debounce": {1, 7}, "Sample": {1}}[name]
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var done time.Duration
				source := stream.Concat(stream.Just(1), paced(5*time.Second, 0, nil, 2), numbers(1000), paced(5*time.Second, 0, nil, 7),
					stream.Defer(func() stream.Observable[int] {
						done = time.Since(begin)
						return stream.Empty[int]()
					}))
				got, err := stream.Tap(op(source, time.Second), func(int) { time.Sleep(time.Hour) }).Collect(t.Context())
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("got %v, %v, want %v", got, err, want)
				}
				if done != 10*time.Second {
					t.Errorf("the source took %v", done)
				}
			})
		})
	}
}

// The slices of BatchTime are the subscriber's.
func TestBatchTimeGivesSlicesAway(t *testing.T) {
	batches, err := stream.BatchTime(numbers(10), 3, time.Hour).Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range batches {
		_ = append(batches[i], -1)
	}
	if want := [][]int{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {9}}; !slices.EqualFunc(batches, want, slices.Equal) {
		t.Errorf("got %v, want %v", batches, want)
	}
}

// The time that the subscriber takes for a value is not the source's.
func TestTimeoutDoesNotCountTheSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := stream.Timeout(paced(time.Second, time.Second, nil, 1, 2, 3), 1100*time.Millisecond)
		got, err := stream.Tap(o, func(int) { time.Sleep(time.Hour) }).Collect(t.Context())
		if want := []int{1, 2, 3}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	})
}

// Delay shifts every value by the same time, and does not add up pauses.
func TestDelayShifts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 10 * time.Second
		begin := time.Now()
		var at []time.Duration
		_ = stream.Delay(paced(time.Second, 3*time.Second, nil, 1, 2, 3), d).ForEach(t.Context(), func(int) error {
			at = append(at, time.Since(begin)-d)
			return nil
		})
		if want := []time.Duration{time.Second, 4 * time.Second, 7 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("got %v, want %v", at, want)
		}
	})
}
