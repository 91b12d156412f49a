package stream_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

func TestIntervalWithInitial(t *testing.T) {
	for _, initial := range []time.Duration{0, -1, 5 * time.Second} {
		first := max(0, initial)
		t.Run(initial.String(), func(t *testing.T) {
			streamtest.Test(t, func() stream.Observable[time.Duration] {
				return since(stream.IntervalWithInitial(initial, time.Minute))
			}, []time.Duration{first, first + time.Minute, first + 2*time.Minute}, &streamtest.Options{Endless: true, Lossy: true})
		})
	}
}

// TestIntervalWithInitialKeepsItsBeat: a subscriber that is busy with the first tick does not shift the
// later ones.
func TestIntervalWithInitialKeepsItsBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []time.Duration
		_ = stream.Take(since(stream.IntervalWithInitial(0, time.Second)), 3).ForEach(t.Context(), func(d time.Duration) error {
			got = append(got, d)
			time.Sleep(700 * time.Millisecond)
			return nil
		})
		if want := []time.Duration{0, time.Second, 2 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("ticks at %v, want %v", got, want)
		}
	})
}

// TestTimes: Timestamp and TimeInterval tell when values came, and the latter counts the time for which
// the subscriber was busy.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		stamps, _ := stream.Timestamp(spaced(stream.Just(1, 2))).Collect(t.Context())
		if len(stamps) != 2 || stamps[0].Timestamp.Sub(start) != time.Second || stamps[1].Timestamp.Sub(start) != 2*time.Second {
			t.Errorf("from %v on: %v", start, stamps)
		}
		var intervals []time.Duration
		_ = stream.TimeInterval(spaced(stream.Just(1, 2, 3))).ForEach(t.Context(), func(v stream.IntervalValue[int]) error {
			intervals = append(intervals, v.Interval)
			time.Sleep(time.Minute)
			return nil
		})
		if want := []time.Duration{time.Second, time.Minute + time.Second, time.Minute + time.Second}; !slices.Equal(intervals, want) {
			t.Errorf("intervals %v, want %v", intervals, want)
		}
	})
}

// TestRepeatLooksAtItsContext: even if the source does not.
func TestRepeatLooksAtItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	times := 0
	_, err := stream.Repeat(func(context.Context, func(int) bool) error {
		if times++; times == 3 {
			cancel(errCause)
		}
		return nil
	}).Collect(ctx)
	if times != 3 || err != errCause {
		t.Errorf("%d times, then %v", times, err)
	}
}

// TestCombinedSlicesAreTheReceivers: no later value changes a slice that was yielded.
func TestCombinedSlicesAreTheReceivers(t *testing.T) {
	slices, err := stream.CombineLatestSlice(stream.Just(1, 2)).Collect(t.Context())
	if got := fmt.Sprint(slices, err); got != "[[1] [2]] <nil>" {
		t.Error(got)
	}
}

// TestCombinedTypes: sources of different types are a state, as the comment of CombineLatestSlice says.
func TestCombinedTypes(t *testing.T) {
	type state struct {
		name string
		age  int
	}
	type change = func(state) state
	names := stream.Map(stream.Just("Ann"), func(name string) change {
		return func(s state) state { s.name = name; return s }
	})
	ages := stream.Map(stream.Just(41, 42), func(age int) change {
		return func(s state) state { s.age = age; return s }
	})
	states := stream.Scan(stream.Merge(names, ages), state{}, func(s state, c change) state { return c(s) })
	if last, err := states.Last(t.Context()); last != (state{"Ann", 42}) || err != nil {
		t.Errorf("%v, %v", last, err)
	}
}

// TestPacedSubscriberMayBeBusy: of the values that come while the subscriber is busy the latest is kept,
// which waits for the whole duration with Audit, and with ThrottleLatest for what is left of it.
func TestPacedSubscriberMayBeBusy(t *testing.T) {
	for name, test := range map[string]struct {
		operator func(ints, time.Duration) ints
		want     string
	}{
		"Audit":          {stream.Audit[int], "[2s 1] [6s 5] [9s 7] <nil>"},
		"ThrottleLatest": {stream.ThrottleLatest[int], "[1s 1] [4s 3] [7s 6] [10s 7] <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []string
				start := time.Now()
				source := paced(time.Second, 1100*time.Millisecond, nil, 1, 2, 3, 4, 5, 6, 7)
				err := test.operator(source, time.Second).ForEach(t.Context(), func(v int) error {
					got = append(got, fmt.Sprintf("[%v %d]", time.Since(start).Round(time.Second), v))
					time.Sleep(3 * time.Second)
					return nil
				})
				if got := fmt.Sprint(strings.Join(got, " "), " ", err); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
			})
		})
	}
}

// TestSkipUntilOfAnOddNotifier: what a notifier makes of being stopped after its first value does not
// matter; its Goexit before is an error.
func TestSkipUntilOfAnOddNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if values, err := stream.SkipUntil(spaced(stream.Just(1, 2)), rude).Collect(t.Context()); len(values) != 2 || err != nil {
			t.Errorf("%v, %v", values, err)
		}
		exits := func(context.Context, func(int) bool) error { runtime.Goexit(); return nil }
		if values, err := stream.SkipUntil(spaced(stream.Just(1, 2)), exits).Collect(t.Context()); len(values) != 0 || err == nil {
			t.Errorf("after Goexit: %v, %v", values, err)
		}
	})
}

// TestErrorStopsTheOthers: an error of one source stops the others when it occurs, however long the
// subscriber is busy, and comes after the values before it.
func TestErrorStopsTheOthers(t *testing.T) {
	for name, run := range map[string]func(t *testing.T, o, failing ints, busy func()) error{
		"MergeAll": func(t *testing.T, o, failing ints, busy func()) error {
			return stream.MergeAll(stream.Just(o, failing), math.MaxInt).ForEach(t.Context(), func(int) error { busy(); return nil })
		},
		"CombineLatestSlice": func(t *testing.T, o, failing ints, busy func()) error {
			return stream.CombineLatestSlice(o, failing).ForEach(t.Context(), func([]int) error { busy(); return nil })
		},
		"BatchWhen": func(t *testing.T, o, failing ints, busy func()) error {
			return stream.BatchWhen(o, failing).ForEach(t.Context(), func([]int) error { busy(); return nil })
		},
		"SampleWhen": func(t *testing.T, o, failing ints, busy func()) error {
			return stream.SampleWhen(o, failing).ForEach(t.Context(), func(int) error { busy(); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var stopped time.Duration
				o := stream.Finally(spaced(stream.FromSeq(naturals)), func(error) { stopped = time.Since(start) })
				failing := stream.Concat(paced(1200*time.Millisecond, 0, nil, 1), paced(300*time.Millisecond, 0, errEnd, 2))
				served := 0
				err := run(t, o, failing, func() {
					served++
					time.Sleep(time.Hour)
				})
				if err != errEnd || stopped != 1500*time.Millisecond || served == 0 {
					t.Errorf("%d values, then %v; the other source was stopped after %v", served, err, stopped)
				}
			})
		})
	}
}
