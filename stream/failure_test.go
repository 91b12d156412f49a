package stream_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A sibling ticks every second and notes when it was stopped.
type sibling struct{ stopped atomic.Int64 }

func (s *sibling) observable() ints {
	return func(ctx context.Context, yield func(int) bool) error {
		begin := time.Now()
		defer func() { s.stopped.Store(int64(time.Since(begin))) }()
		return stream.Map(stream.Interval(time.Second), func(time.Time) int { return 0 })(ctx, yield)
	}
}

func left(a, _ int) int { return a }

// TestErrorStopsSiblings when it occurs, though the subscriber is busy for long with a value that came
// before it, and is delivered after that value.
func TestErrorStopsSiblings(t *testing.T) {
	const fails = 2500 * time.Millisecond
	endings := map[string]func() error{"fails": func() error { return errEnd }, "exits": func() error { runtime.Goexit(); return nil }}
	type operator func(failing, ticking ints) ints
	for name, op := range map[string]operator{
		"Merge": func(a, b ints) ints { return stream.Merge(a, b) },
		"FlatMap, inner": func(a, b ints) ints {
			return stream.FlatMap(stream.Just(a, b), 2, func(o ints) ints { return o })
		},
		"FlatMap, outer": func(a, b ints) ints { return stream.FlatMap(a, 9, func(int) ints { return b }) },
		"SwitchMap, inner": func(a, b ints) ints {
			return stream.SwitchMap(stream.StartWith(stream.Filter(b, func(int) bool { return false }), 1), func(int) ints { return a })
		},
		"SwitchMap, outer": func(a, b ints) ints {
			return stream.SwitchMap(stream.Distinct(a, func(int) int { return 0 }), func(int) ints { return b })
		},
		"CombineLatest, first":  func(a, b ints) ints { return stream.CombineLatest(a, b, left) },
		"CombineLatest, second": func(a, b ints) ints { return stream.CombineLatest(b, a, left) },
		"Zip, first":            func(a, b ints) ints { return stream.Zip(a, b, left) },
		"Zip, second":           func(a, b ints) ints { return stream.Zip(b, a, left) },
		"GroupBy, a group": func(a, b ints) ints {
			return stream.GroupBy(stream.Just(1, 2), identity, stream.Policy[int]{}, func(k int, _ ints) ints {
				return []ints{a, b}[k-1]
			})
		},
		"GroupByUntil, a duration": func(a, b ints) ints {
			silent := stream.Filter(a, func(int) bool { return false })
			return stream.GroupByUntil(stream.StartWith(b, 1), func(int) int { return 0 }, stream.Policy[int]{},
				func(int, ints) ints { return silent }, func(_ int, group ints) ints { return group })
		},
	} {
		for how, ending := range endings {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var s sibling
					failing := func(ctx context.Context, yield func(int) bool) error {
						if err := paced(time.Second, time.Second, nil, 1, 2)(ctx, yield); err != nil {
							return err
						}
						if time.Sleep(fails - 2*time.Second); ctx.Err() != nil {
							return context.Cause(ctx)
						}
						return ending()
					}
					first := true
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
					defer cancel()
					err := op(failing, s.observable()).ForEach(ctx, func(int) error {
						if first {
							time.Sleep(time.Hour)
						}
						first = false
						return nil
					})
					if how == "fails" && err != errEnd || err == nil || ctx.Err() != nil {
						t.Errorf("ended with %v", err)
					}
					if stopped := time.Duration(s.stopped.Load()); stopped > fails {
						t.Errorf("the sibling was stopped after %v", stopped)
					}
				})
			})
		}
	}
}

// TestErrorOvertakesNothing: what came before an error is yielded, however slow the subscriber is.
func TestErrorOvertakesNothing(t *testing.T) {
	id := func(_ int, group ints) ints { return group }
	same := func(_ context.Context, v int) (int, error) { return v, nil }
	batched := func(_ int, group ints) ints { return stream.Map(stream.BatchTime(group, 2, time.Hour), total) }
	five := stream.Concat(stream.Just(1, 2, 3, 4, 5), stream.Fail[int](errEnd))
	ten := stream.Concat(numbers(10), stream.Fail[int](errEnd))
	all := []int{1, 2, 3, 4, 5}
	for _, c := range []struct {
		name string
		o    ints
		want []int // in any order
	}{
		{"Merge", stream.Merge(five, stream.Never[int]()), all},
		{"Buffer", stream.Buffer(five, stream.Block[int](9)), all},
		{"FlatMap", stream.FlatMap(stream.Just(0), 1, func(int) ints { return five }), all},
		{"SwitchMap, inner", stream.SwitchMap(stream.Concat(stream.Just(0), stream.Never[int]()), func(int) ints { return five }), all},
		{"MapParallel, o", stream.MapParallel(five, 3, same), all},
		{"MapParallel, f", stream.MapParallel(stream.Just(1, 2, 3, 4, 5), 3, func(ctx context.Context, v int) (int, error) {
			if v == 3 {
				return 0, errEnd
			}
			time.Sleep(time.Second) // the earlier ones fail if they see that they are not wanted
			return v, context.Cause(ctx)
		}), []int{1, 2}},
		{"GroupBy", stream.GroupBy(five, identity, stream.Policy[int]{}, id), all},
		{"GroupBy, batches", stream.GroupBy(ten, even, stream.Policy[int]{}, func(_ bool, group ints) ints { return batched(0, group) }),
			[]int{0 + 2, 4 + 6, 1 + 3, 5 + 7}},
		{"GroupByUntil", stream.GroupByUntil(five, identity, stream.Policy[int]{}, func(int, ints) ints { return stream.Never[int]() }, id), all},
		{"Zip", stream.Zip(five, stream.FromSeq(naturals), left), all},
		{"Race", stream.Race(five, stream.Never[int]()), all},
		{"WithLatestFrom", stream.WithLatestFrom(five, stream.StartWith(stream.Never[int](), 9), left), all},
		{"Share", stream.Share(five, stream.Policy[int]{}), all},
		{"Replay", stream.Replay(five, 2, stream.Policy[int]{}), all},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := stream.Tap(c.o, func(int) { time.Sleep(time.Minute) }).Collect(t.Context())
				slices.Sort(got)
				want := slices.Sorted(slices.Values(c.want))
				if err != errEnd || !slices.Equal(got, want) {
					t.Errorf("%v, %v, want %v", got, err, want)
				}
			})
		})
	}
}

// TestZipDoesNotWaitAfterAnError for counterparts that may never come.
func TestZipDoesNotWaitAfterAnError(t *testing.T) {
	failing := stream.Concat(stream.Just(1), stream.Fail[int](errEnd))
	for _, o := range []ints{stream.Zip(failing, stream.Never[int](), plus), stream.Zip(stream.Never[int](), failing, plus)} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			if got, err := o.Collect(t.Context()); len(got) > 0 || err != errEnd || time.Since(begin) > time.Millisecond {
				t.Errorf("%v, %v after %v", got, err, time.Since(begin))
			}
		})
	}
}

// TestMapParallelStopsLaterCalls: a call that fails stops those for later values at once, and not the
// earlier ones.
func TestMapParallelStopsLaterCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		stopped := make(map[int]time.Duration)
		got, err := stream.MapParallel(stream.FromSeq(naturals), 3, func(ctx context.Context, v int) (int, error) {
			switch v {
			case 0:
				time.Sleep(time.Hour)
				return v, context.Cause(ctx)
			case 1:
				time.Sleep(time.Second)
				return v, errEnd
			default:
				<-ctx.Done()
				stopped[v] = time.Since(begin)
				return v, context.Cause(ctx)
			}
		}).Collect(t.Context())
		if !slices.Equal(got, []int{0}) || err != errEnd || fmt.Sprint(stopped) != fmt.Sprint(map[int]time.Duration{2: time.Second}) {
			t.Errorf("%v, %v; later ones were stopped after %v", got, err, stopped)
		}
	})
}

// TestGoexitInANotifier, or in any other source that yields nothing itself, ends the whole.
func TestGoexitInANotifier(t *testing.T) {
	exits := ints(func(context.Context, func(int) bool) error { runtime.Goexit(); return nil })
	never := stream.Never[int]()
	for name, o := range map[string]ints{
		"TakeUntil":      stream.TakeUntil(never, exits),
		"WithLatestFrom": stream.WithLatestFrom(never, exits, plus),
		"Zip":            stream.Zip(never, exits, plus),
		"CombineLatest":  stream.CombineLatest(never, exits, plus),
		"Race":           stream.Race(never, exits),
		"SwitchMap":      stream.SwitchMap(stream.Concat(stream.Just(1), never), func(int) ints { return exits }),
		"SampleWhen":     stream.SampleWhen(never, exits),
		"BatchWhen":      stream.Map(stream.BatchWhen(never, exits), total),
		"SkipUntil":      stream.SkipUntil(never, exits),
		"GroupByUntil": stream.GroupByUntil(stream.StartWith(never, 1), identity, stream.Policy[int]{},
			func(int, ints) ints { return exits }, func(_ int, group ints) ints { return group }),
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errCause)
			defer cancel()
			if _, err := o.Collect(ctx); err == nil || err == errCause {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestSlowConsumerStopsItsSource when it fails, not when it notices.
func TestSlowConsumerStopsItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sibling
		n := 0
		err := stream.Buffer(s.observable(), stream.FailSlow[int](2)).ForEach(t.Context(), func(int) error {
			n++
			time.Sleep(time.Hour)
			return nil
		})
		if stopped := time.Duration(s.stopped.Load()); n != 3 || err != stream.ErrSlowConsumer || stopped != 4*time.Second {
			t.Errorf("%d values, %v, stopped after %v", n, err, stopped)
		}
	})
}

// TestHugeNumbers cost nothing: there is memory for what there is.
func TestHugeNumbers(t *testing.T) {
	const huge = int(^uint(0) >> 1)
	values := stream.Just(1, 2, 3)
	merge := func(_, newer int) (int, stream.Place) { return newer, stream.AtOlder }
	same := func(_ context.Context, v int) (int, error) { return v, nil }
	slow := func(p stream.Policy[int]) ints {
		return stream.Tap(stream.Buffer(values, p), func(int) { runtime.Gosched() })
	}
	for _, n := range []int{huge, 100_000_000} {
		for name, o := range map[string]ints{
			"BatchCount":  stream.Map(stream.BatchCount(values, n), total),
			"BatchTime":   stream.Map(stream.BatchTime(values, n, time.Hour), total),
			"MapParallel": stream.MapParallel(values, n, same),
			"FlatMap":     stream.FlatMap(values, n, func(v int) ints { return stream.Just(v) }),
			"MergeAll":    stream.MergeAll(stream.Just(values), n),
			"Take":        stream.Take(values, n),
			"TakeLast":    stream.TakeLast(values, n),
			"Skip":        stream.Concat(stream.Skip(values, n), values),
			"Replay":      stream.Replay(values, n, stream.Policy[int]{}),
			"Block":       slow(stream.Block[int](n)),
			"DropOldest":  slow(stream.DropOldest[int](n)),
			"DropNewest":  slow(stream.DropNewest[int](n)),
			"FailSlow":    slow(stream.FailSlow[int](n)),
			"Coalesce":    slow(stream.Coalesce(n, identity, merge)),
			"Chan": func(ctx context.Context, yield func(int) bool) error {
				waiting, stop := stream.Buffer(values, stream.Block[int](n)).Chan(ctx, 0)
				_ = stream.FromChan(waiting)(ctx, yield)
				return stop()
			},
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := o.Collect(t.Context())
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; total(got) != 6 || err != nil || used > 1<<20 {
				t.Errorf("%s: %v, %v, with %d bytes", name, got, err, used)
			}
		}
	}
}

// TestZeroValues are ready to use, and may be printed anywhere.
func TestZeroValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stream.Subject[int]
		var b stream.Behavior[int]
		got := make(chan []int, 2)
		for _, o := range []ints{s.Observe(stream.Policy[int]{}, nil), b.Observe(stream.Policy[int]{})} {
			go func() {
				values, _ := o.Collect(t.Context())
				got <- values
			}()
		}
		synctest.Wait()
		_ = s.Update(t.Context(), func(emit func(int)) {
			emit(1)
			emit(len(fmt.Sprint(&s)))
		})
		_ = b.Update(t.Context(), func(int) int { return len(fmt.Sprint(&b)) })
		s.Close(nil)
		b.Close(nil)
		for range 2 {
			if values := <-got; len(values) != 2 {
				t.Error(values)
			}
		}
	})
}

// TestReplayAfterTheEnd is without another subscription, unless its source has failed.
func TestReplayAfterTheEnd(t *testing.T) {
	subscriptions := 0
	counted := func(err error) ints {
		return stream.Defer(func() ints {
			subscriptions++
			return stream.Concat(stream.Just(1, 2, 3), stream.Fail[int](err))
		})
	}
	for _, c := range []struct {
		err  error
		want []int
		n    int
	}{{nil, []int{2, 3}, 1}, {errEnd, []int{1, 2, 3}, 2}} {
		subscriptions = 0
		o := stream.Replay(counted(c.err), 2, stream.Policy[int]{})
		for i, want := range [][]int{{1, 2, 3}, c.want} {
			if got, err := o.Collect(t.Context()); !slices.Equal(got, want) || err != c.err {
				t.Errorf("subscriber %d: %v, %v, want %v, %v", i, got, err, want, c.err)
			}
		}
		if subscriptions != c.n {
			t.Errorf("%d subscriptions, want %d", subscriptions, c.n)
		}
	}
}

// TestMeter sees the subscribers of operators that make their subscriptions themselves.
func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var meter stream.Meter
		source := paced(time.Second, time.Second, nil, 1, 2, 3, 4, 5)
		shared := stream.Share(source, stream.DropNewest[int](1).Metered(&meter))
		go func() { _, _ = shared.Count(t.Context()) }()
		ended := make(chan int)
		go func() {
			n, _ := stream.Tap(shared, func(int) { time.Sleep(time.Minute) }).Count(t.Context())
			ended <- n
		}()
		time.Sleep(3500 * time.Millisecond)
		want := map[stream.SubscriptionStats]int{
			{Policy: "DropNewest", Delivered: 3}:       1,
			{Policy: "DropNewest", Lag: 2, Dropped: 1}: 1,
		}
		for _, s := range meter.Subscribers() {
			if want[s]--; want[s] < 0 {
				t.Errorf("%+v", s)
			}
		}
		n := <-ended
		if got := meter.Totals(); got != (stream.SubscriptionStats{Delivered: uint64(5 + n), Dropped: uint64(5 - n)}) {
			t.Errorf("%+v, and %d were delivered to the slow one", got, n)
		}
	})
}
