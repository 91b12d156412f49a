package stream_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// paced yields values with pauses of virtual time: first before the first, then step before each
// other. It ends with err, at once after the last.
func paced(first, step time.Duration, err error, values ...int) stream.Observable[int] {
	return func(ctx context.Context, yield func(int) bool) error {
		pause := first
		for _, v := range values {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
			pause = step
		}
		return err
	}
}

func add(a, b int) int { return a + b }

// contractCase is an operator under conditions in which its values are determined.
type contractCase struct {
	name string
	make func() stream.Observable[int]
	want []int
	streamtest.Options
}

func contractCases() []contractCase {
	const s = time.Second
	never := stream.Never[int]()
	endless := stream.Concat(stream.Just(1, 2, 3), never)
	broken := stream.Concat(stream.Just(1, 2, 3), stream.Fail[int](errBoom))
	double := func(_ context.Context, v int) (int, error) {
		if v < 0 {
			return 0, errBoom
		}
		return 2 * v, nil
	}
	return []contractCase{
		{name: "Buffer", make: func() stream.Observable[int] { return stream.Buffer(broken, stream.Block[int](1)) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "Buffer, endless", make: func() stream.Observable[int] { return stream.Buffer(endless, stream.Coalesce(1, key, mergeInts)) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Endless: true, Lossy: true}},
		{name: "Merge", make: func() stream.Observable[int] {
			return stream.Merge(paced(s, 2*s, nil, 1, 3), paced(2*s, 2*s, nil, 2, 4))
		}, want: []int{1, 2, 3, 4}},
		{name: "Merge, failing", make: func() stream.Observable[int] {
			return stream.Merge(paced(s, s, errBoom, 1, 2), never, never)
		}, want: []int{1, 2}, Options: streamtest.Options{Err: errBoom}},
		{name: "Merge of one", make: func() stream.Observable[int] { return stream.Merge(broken) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "Merge of none", make: func() stream.Observable[int] { return stream.Merge[int]() }},
		{name: "FlatMap", make: func() stream.Observable[int] {
			return stream.FlatMap(paced(s, s, nil, 1, 2), 3, func(v int) stream.Observable[int] {
				return paced(s/4, s/4, nil, 10*v, 10*v+1)
			})
		}, want: []int{10, 11, 20, 21}},
		{name: "FlatMap, one at a time", make: func() stream.Observable[int] {
			return stream.FlatMap(stream.Just(1, 2, 3), 1, func(v int) stream.Observable[int] {
				return paced(s, s, nil, v, v)
			})
		}, want: []int{1, 1, 2, 2, 3, 3}},
		{name: "FlatMap, failing inside", make: func() stream.Observable[int] {
			return stream.FlatMap(endless, 1, func(v int) stream.Observable[int] { return broken })
		}, want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "SwitchMap", make: func() stream.Observable[int] {
			return stream.SwitchMap(paced(s, 10*s, nil, 1, 2), func(v int) stream.Observable[int] {
				return paced(4*s, 4*s, nil, 10*v, 10*v+1, 10*v+2)
			})
		}, want: []int{10, 11, 20, 21, 22}, Options: streamtest.Options{Lossy: true}},
		{name: "SwitchMap, failing inside", make: func() stream.Observable[int] {
			return stream.SwitchMap(stream.Concat(stream.Just(1), never), func(int) stream.Observable[int] { return broken })
		}, want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "SwitchMap, failing outside", make: func() stream.Observable[int] {
			return stream.SwitchMap(paced(0, 10*s, errBoom, 1, 2), func(v int) stream.Observable[int] {
				return []stream.Observable[int]{endless, never}[v-1]
			})
		}, want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom, Lossy: true}},
		{name: "CombineLatest", make: func() stream.Observable[int] {
			return stream.CombineLatest(paced(s, 2*s, nil, 1, 2), paced(2*s, 2*s, nil, 10, 20), add)
		}, want: []int{11, 12, 22}},
		{name: "CombineLatest, failing", make: func() stream.Observable[int] {
			return stream.CombineLatest(paced(s, s, nil, 1), paced(2*s, 2*s, errBoom, 10, 20), add)
		}, want: []int{11, 21}, Options: streamtest.Options{Err: errBoom}},
		{name: "CombineLatest, one empty", make: func() stream.Observable[int] {
			return stream.CombineLatest(never, stream.Empty[int](), add)
		}},
		{name: "WithLatestFrom", make: func() stream.Observable[int] {
			return stream.WithLatestFrom(paced(s, 2*s, nil, 1, 2, 3), paced(2*s, 2*s, nil, 10), add)
		}, want: []int{12, 13}, Options: streamtest.Options{Lossy: true}},
		{name: "WithLatestFrom, the other failing", make: func() stream.Observable[int] {
			return stream.WithLatestFrom(paced(s, 2*s, nil, 1, 2, 3), paced(2*s, 2*s, errBoom, 10, 20), add)
		}, want: []int{12}, Options: streamtest.Options{Err: errBoom, Lossy: true}},
		{name: "Zip", make: func() stream.Observable[int] { return stream.Zip(endless, stream.Just(10, 20), add) },
			want: []int{11, 22}},
		{name: "Zip, failing", make: func() stream.Observable[int] { return stream.Zip(endless, paced(s, s, errBoom, 10, 20), add) },
			want: []int{11, 22}, Options: streamtest.Options{Err: errBoom}},
		{name: "Race", make: func() stream.Observable[int] {
			return stream.Race(paced(3*s, s, nil, 7), paced(2*s, 2*s, nil, 1, 2), never)
		}, want: []int{1, 2}},
		{name: "Race, won by a failure", make: func() stream.Observable[int] {
			return stream.Race(paced(3*s, s, nil, 7), stream.Fail[int](errBoom), never)
		}, Options: streamtest.Options{Err: errBoom}},
		{name: "Race of none", make: func() stream.Observable[int] { return stream.Race[int]() }},
		{name: "MapParallel", make: func() stream.Observable[int] { return stream.MapParallel(broken, 2, double) },
			want: []int{2, 4, 6}, Options: streamtest.Options{Err: errBoom}},
		{name: "MapParallel, f failing", make: func() stream.Observable[int] {
			return stream.MapParallel(stream.Concat(stream.Just(1, 2, -1, 3), never), 3, double)
		}, want: []int{2, 4}, Options: streamtest.Options{Err: errBoom}},
		{name: "MapParallel, f waiting", make: func() stream.Observable[int] {
			return stream.MapParallel(stream.Just(1, 2, 3), 2, func(ctx context.Context, v int) (int, error) {
				if v == 3 {
					<-ctx.Done()
				}
				return v, context.Cause(ctx)
			})
		}, want: []int{1, 2}, Options: streamtest.Options{Endless: true}},
		{name: "Debounce", make: func() stream.Observable[int] {
			return stream.Debounce(stream.Concat(paced(s, s, nil, 1, 2, 3), paced(10*s, s, errBoom, 4, 5)), 2*s)
		}, want: []int{3}, Options: streamtest.Options{Err: errBoom, Lossy: true}},
		{name: "Debounce, completing", make: func() stream.Observable[int] {
			return stream.Debounce(paced(s, s, nil, 1, 2, 3), 2*s)
		}, want: []int{3}, Options: streamtest.Options{Lossy: true}},
		{name: "Sample", make: func() stream.Observable[int] {
			return stream.Sample(stream.Concat(paced(s, s, nil, 1, 2, 3), paced(10*s, s, errBoom, 4, 5)), 5*s/2)
		}, want: []int{2, 3}, Options: streamtest.Options{Err: errBoom, Lossy: true}},
		{name: "BatchTime", make: func() stream.Observable[int] {
			o := stream.Concat(paced(s, s, nil, 1, 2, 3, 4), paced(10*s, s, errBoom, 5))
			return stream.Map(stream.BatchTime(o, 3, 4*s), total)
		}, want: []int{6, 4}, Options: streamtest.Options{Err: errBoom, Lossy: true}},
		{name: "BatchTime, by time", make: func() stream.Observable[int] {
			return stream.Map(stream.BatchTime(paced(s, 3*s, nil, 1, 2, 3, 4, 5), 9, 4*s), total)
		}, want: []int{3, 7, 5}, Options: streamtest.Options{Lossy: true}},
		{name: "Throttle", make: func() stream.Observable[int] {
			return stream.Throttle(paced(s, s, errBoom, 1, 2, 3, 4, 5), 2*s)
		}, want: []int{1, 3, 5}, Options: streamtest.Options{Err: errBoom, Lossy: true}},
		{name: "Delay", make: func() stream.Observable[int] { return stream.Delay(paced(s, s, errBoom, 1, 2, 3), time.Minute) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "Timeout, in time", make: func() stream.Observable[int] { return stream.Timeout(paced(s, s, errBoom, 1, 2, 3), 2*s) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "Timeout, too late", make: func() stream.Observable[int] { return stream.Timeout(endless, 2*s) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Err: stream.ErrTimeout}},
		{name: "Share", make: func() stream.Observable[int] { return stream.Share(broken, stream.Policy[int]{}) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom, Hot: true}},
		{name: "Share, endless", make: func() stream.Observable[int] { return stream.Share(endless, stream.DropNewest[int](3)) },
			want: []int{1, 2, 3}, Options: streamtest.Options{Endless: true, Hot: true}},
		{name: "Replay", make: func() stream.Observable[int] {
			return stream.Replay(paced(s, s, nil, 1, 2, 3), 3, stream.Policy[int]{})
		}, want: []int{1, 2, 3}, Options: streamtest.Options{Hot: true}},
		{name: "Observe, closed", make: func() stream.Observable[int] {
			subject := stream.NewSubject[int]()
			subject.Close(errBoom)
			return subject.Observe(stream.Block[int](1), func() []int { return []int{1, 2, 3} })
		}, want: []int{1, 2, 3}, Options: streamtest.Options{Err: errBoom}},
		{name: "Observe, open", make: func() stream.Observable[int] {
			return stream.NewSubject[int]().Observe(stream.Block[int](1), func() []int { return []int{1, 2, 3} })
		}, want: []int{1, 2, 3}, Options: streamtest.Options{Endless: true}},
	}
}

func total(values []int) int {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum
}

func TestAsynchronousOperatorsKeepTheContract(t *testing.T) {
	for _, c := range contractCases() {
		t.Run(c.name, func(t *testing.T) { streamtest.Test(t, c.make, c.want, &c.Options) })
	}
}

// An operator returns only when its sources have, even if they take their time.
func TestSourcesAreWaitedFor(t *testing.T) {
	type operator = func(stream.Observable[int]) stream.Observable[int]
	never := stream.Never[int]()
	for name, op := range map[string]operator{
		"Buffer":     func(o stream.Observable[int]) stream.Observable[int] { return stream.Buffer(o, stream.Block[int](1)) },
		"Merge":      func(o stream.Observable[int]) stream.Observable[int] { return stream.Merge(never, o) },
		"Zip, first": func(o stream.Observable[int]) stream.Observable[int] { return stream.Zip(o, numbers(9), add) },
		"Zip, second": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.Zip(numbers(9), o, add)
		},
		"Race": func(o stream.Observable[int]) stream.Observable[int] { return stream.Race(never, o) },
		"Race, lost": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.Race(stream.SkipWhile(o, func(int) bool { return true }), stream.Just(1))
		},
		"CombineLatest": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.CombineLatest(o, stream.Just(1), add)
		},
		"WithLatestFrom": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.WithLatestFrom(paced(time.Second, 0, nil, 1), o, add)
		},
		"FlatMap, outer": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.FlatMap(o, 1, func(v int) stream.Observable[int] { return stream.Just(v) })
		},
		"FlatMap, inner": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.FlatMap(stream.Just(1), 1, func(int) stream.Observable[int] { return o })
		},
		"SwitchMap, outer": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.SwitchMap(o, func(v int) stream.Observable[int] { return stream.Just(v) })
		},
		"SwitchMap, inner": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.SwitchMap(stream.Just(1), func(int) stream.Observable[int] { return o })
		},
		"MapParallel": func(o stream.Observable[int]) stream.Observable[int] { return stream.MapParallel(o, 1, doubled) },
		"Debounce":    func(o stream.Observable[int]) stream.Observable[int] { return stream.Debounce(o, time.Second) },
		"Sample":      func(o stream.Observable[int]) stream.Observable[int] { return stream.Sample(o, time.Second) },
		"BatchTime": func(o stream.Observable[int]) stream.Observable[int] {
			return stream.Map(stream.BatchTime(o, 1, time.Second), total)
		},
		"Delay":   func(o stream.Observable[int]) stream.Observable[int] { return stream.Delay(o, time.Second) },
		"Timeout": func(o stream.Observable[int]) stream.Observable[int] { return stream.Timeout(o, time.Second) },
		"Share":   func(o stream.Observable[int]) stream.Observable[int] { return stream.Share(o, stream.Block[int](1)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var gone atomic.Bool
				lingering := stream.Observable[int](func(ctx context.Context, yield func(int) bool) error {
					defer gone.Store(true)
					if !yield(1) {
						return nil
					}
					<-ctx.Done()
					time.Sleep(time.Hour)
					return context.Cause(ctx)
				})
				if _, err := op(lingering).First(t.Context()); err != nil {
					t.Error(err)
				}
				if !gone.Load() {
					t.Error("returned with its source still there")
				}
			})
		})
	}
}
