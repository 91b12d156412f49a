package stream_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/stream"
)

// An operator is one of this package with its arguments, as a function on observables and as one on
// their models.
type operator struct {
	name  string
	apply func(ints) ints
	model func(sequence) sequence
	// hot says that subscribers to what it returns share the source, and lossy that it drops what
	// comes while they are busy.
	hot, lossy bool
	// plain says that it handles its ends as Map does, which stands for it where operators are paired.
	plain bool
}

func same(s sequence) sequence { return s }

func identity(v int) int { return v }

func even(v int) bool { return v%2 == 0 }

func plus(a, b int) int { return a + b }

func sum(values []int) int {
	total := 0
	for _, v := range values {
		total += v
	}
	return total
}

// operators are all that the tests of the contract run over. Whoever adds an operator adds it to one of
// these functions, or adds another function here.
func operators() []operator {
	return slices.Concat(synchronous(), asynchronous(), furtherAsynchronous())
}

// synchronous are the operators that have no goroutine.
func synchronous() []operator {
	return slices.Concat(transforming(), filtering(), continuing(), terminals(), furtherSynchronous())
}

func transforming() []operator {
	tripled := func(v int) int { return 3 * v }
	return []operator{
		{name: "Map", apply: func(o ints) ints { return stream.Map(o, tripled) },
			model: func(s sequence) sequence { return s.each(func(v int) []int { return []int{3 * v} }) }},
		{name: "MapErr", plain: true, apply: func(o ints) ints {
			return stream.MapErr(stream.Map(o, strconv.Itoa), strconv.Atoi)
		}, model: same},
		{name: "MapErr failing", apply: func(o ints) ints {
			return stream.MapErr(o, func(v int) (int, error) {
				if v >= 3 {
					return v, errMap
				}
				return v, nil
			})
		}, model: func(s sequence) sequence {
			if i := slices.IndexFunc(s.values, func(v int) bool { return v >= 3 }); i >= 0 {
				return sequence{values: s.values[:i], err: errMap}
			}
			return s
		}},
		{name: "Tap", plain: true, apply: func(o ints) ints { return stream.Tap(o, func(int) {}) }, model: same},
		{name: "Scan", plain: true, apply: func(o ints) ints { return stream.Scan(o, 0, plus) },
			model: func(s sequence) sequence {
				total := 0
				return s.each(func(v int) []int {
					total += v
					return []int{total}
				})
			}},
		{name: "Reduce", apply: func(o ints) ints { return stream.Reduce(o, 0, plus) },
			model: func(s sequence) sequence {
				return s.with(nil).then(sequence{values: []int{sum(s.values)}})
			}},
		{name: "BatchCount", apply: func(o ints) ints { return stream.Map(stream.BatchCount(o, 3), sum) }, model: batchesOf(3)},
		{name: "Materialize, Dematerialize", apply: func(o ints) ints {
			return stream.Dematerialize(stream.Materialize(o))
		}, model: same},
		{name: "Materialize", apply: func(o ints) ints {
			return stream.Map(stream.Materialize(o), func(n stream.Notification[int]) int {
				if n.Done {
					return -1
				}
				return n.Value
			})
		}, model: func(s sequence) sequence {
			return sequence{values: s.values, endless: s.endless}.then(sequence{values: []int{-1}})
		}},
	}
}

// batchesOf sums the values of batches. The unfinished one comes before completion.
func batchesOf(n int) func(sequence) sequence {
	return func(s sequence) sequence {
		var sums []int
		for batch := range slices.Chunk(s.values, n) {
			if len(batch) == n || s.completes() {
				sums = append(sums, sum(batch))
			}
		}
		return s.with(sums)
	}
}

func filtering() []operator {
	small := func(v int) bool { return v < 3 }
	while := func(s sequence) int {
		if i := slices.IndexFunc(s.values, func(v int) bool { return !small(v) }); i >= 0 {
			return i
		}
		return len(s.values)
	}
	return []operator{
		{name: "Filter", apply: func(o ints) ints { return stream.Filter(o, even) },
			model: func(s sequence) sequence {
				return s.with(slices.DeleteFunc(slices.Clone(s.values), func(v int) bool { return !even(v) }))
			}},
		{name: "Take 2", apply: func(o ints) ints { return stream.Take(o, 2) },
			model: func(s sequence) sequence { return s.cut(2) }},
		{name: "Take 0", apply: func(o ints) ints { return stream.Take(o, 0) },
			model: func(s sequence) sequence { return s.cut(0) }},
		{name: "TakeWhile", apply: func(o ints) ints { return stream.TakeWhile(o, small) },
			model: func(s sequence) sequence {
				if n := while(s); n < len(s.values) {
					return s.cut(n)
				}
				return s
			}},
		{name: "Skip 1", plain: true, apply: func(o ints) ints { return stream.Skip(o, 1) },
			model: func(s sequence) sequence { return s.with(s.values[min(1, len(s.values)):]) }},
		{name: "SkipWhile", plain: true, apply: func(o ints) ints { return stream.SkipWhile(o, small) },
			model: func(s sequence) sequence { return s.with(s.values[while(s):]) }},
		{name: "Distinct", plain: true, apply: func(o ints) ints { return stream.Distinct(o, identity) },
			model: func(s sequence) sequence {
				var seen []int
				return s.each(func(v int) []int {
					if slices.Contains(seen, v) {
						return nil
					}
					seen = append(seen, v)
					return []int{v}
				})
			}},
		{name: "DistinctUntilChanged", plain: true, apply: func(o ints) ints { return stream.DistinctUntilChanged(o, identity) },
			model: func(s sequence) sequence { return s.with(slices.Compact(slices.Clone(s.values))) }},
	}
}

// continuing are the operators that subscribe to more than one observable, one after the other.
func continuing() []operator {
	twice := func(v int) []int { return []int{v, v} }
	return []operator{
		{name: "StartWith", apply: func(o ints) ints { return stream.StartWith(o, 8, 9) },
			model: func(s sequence) sequence { return sequence{values: []int{8, 9}}.then(s) }},
		{name: "Concat before", apply: func(o ints) ints { return stream.Concat(o, stream.Just(8, 9)) },
			model: func(s sequence) sequence { return s.then(sequence{values: []int{8, 9}}) }},
		{name: "Concat with itself", apply: func(o ints) ints { return stream.Concat(o, o) },
			model: func(s sequence) sequence { return s.then(s) }},
		{name: "ConcatMap", apply: func(o ints) ints {
			return stream.ConcatMap(o, func(v int) ints { return stream.Just(twice(v)...) })
		}, model: func(s sequence) sequence { return s.each(twice) }},
		{name: "ConcatMap of one", apply: func(o ints) ints {
			return stream.ConcatMap(stream.Just(0), func(int) ints { return o })
		}, model: same},
		{name: "Catch", apply: func(o ints) ints {
			return stream.Catch(o, func(error) ints { return stream.Just(7) })
		}, model: func(s sequence) sequence {
			if s.err == nil {
				return s
			}
			return sequence{values: s.values}.then(sequence{values: []int{7}})
		}},
		{name: "OnErrorResume", apply: func(o ints) ints { return stream.OnErrorResume(o, stream.Just(7)) },
			model: func(s sequence) sequence {
				if s.err == nil {
					return s
				}
				return sequence{values: s.values}.then(sequence{values: []int{7}})
			}},
		{name: "Retry at once", apply: func(o ints) ints { return stream.Retry(o, times(1, 0)) }, model: retried},
	}
}

// times is a policy that allows n retries, each after the same delay.
func times(n int, delay time.Duration) func() stream.RetryPolicy {
	return func() stream.RetryPolicy {
		left := n
		return func(error) time.Duration {
			if left--; left < 0 {
				return backoff.Stop
			}
			return delay
		}
	}
}

func retried(s sequence) sequence {
	if s.err == nil {
		return s
	}
	return sequence{values: s.values}.then(s)
}

// terminals are sequences that pass through a terminal and become observables again.
func terminals() []operator {
	return []operator{
		{name: "All, FromSeq2", apply: func(o ints) ints {
			return func(ctx context.Context, yield func(int) bool) error {
				return stream.FromSeq2(o.All(ctx))(ctx, yield)
			}
		}, model: same},
		{name: "ForEach", plain: true, apply: func(o ints) ints {
			return func(ctx context.Context, yield func(int) bool) error {
				errStop := errors.New("stop")
				err := o.ForEach(ctx, func(v int) error {
					if !yield(v) {
						return errStop
					}
					return nil
				})
				if err == errStop {
					return nil
				}
				return err
			}
		}, model: same},
	}
}

// asynchronous are the operators that have goroutines or wait for time.
func asynchronous() []operator {
	never := stream.Never[int]()
	block := stream.Block[int](1)
	return []operator{
		{name: "Chan, FromChan", apply: func(o ints) ints {
			return func(ctx context.Context, yield func(int) bool) error {
				values, stop := o.Chan(ctx, 1)
				defer stop()
				stopped := false
				err := stream.FromChan(values)(ctx, func(v int) bool {
					stopped = !yield(v)
					return !stopped
				})
				if stopped {
					return nil
				}
				return cmp.Or(err, stop())
			}
		}, model: same},
		{name: "TakeUntil never", apply: func(o ints) ints { return stream.TakeUntil(o, never) }, model: same},
		{name: "TakeUntil empty", apply: func(o ints) ints { return stream.TakeUntil(o, stream.Empty[int]()) }, model: same},
		{name: "ConcatMap in time", apply: func(o ints) ints { return stream.ConcatMap(o, afterASecond) }, model: same},
		{name: "Retry later", apply: func(o ints) ints { return stream.Retry(o, times(1, time.Second)) }, model: retried},
		{name: "Buffer", apply: func(o ints) ints { return stream.Buffer(o, block) }, model: same},
		{name: "Merge", apply: func(o ints) ints { return stream.Merge(o, stream.Empty[int]()) }, model: same},
		{name: "FlatMap", apply: func(o ints) ints {
			return stream.FlatMap(stream.Just(0), 1, func(int) ints { return o })
		}, model: same},
		{name: "SwitchMap", apply: func(o ints) ints {
			return stream.SwitchMap(stream.Just(0), func(int) ints { return o })
		}, model: same},
		{name: "MapParallel", apply: func(o ints) ints {
			return stream.MapParallel(o, 2, func(_ context.Context, v int) (int, error) { return v, nil })
		}, model: same},
		{name: "Delay", apply: func(o ints) ints { return stream.Delay(o, time.Second) }, model: same},
		{name: "Timeout", apply: func(o ints) ints { return stream.Timeout(o, math.MaxInt64) }, model: same},
		{name: "BatchTime", apply: func(o ints) ints {
			return stream.Map(stream.BatchTime(o, 3, math.MaxInt64), sum)
		}, model: batchesOf(3)},
		{name: "Zip", apply: func(o ints) ints {
			return stream.Zip(o, stream.FromSeq(naturals), func(v, _ int) int { return v })
		}, model: same},
		{name: "GroupBy", apply: func(o ints) ints {
			return stream.GroupBy(o, func(int) int { return 0 }, block, func(_ int, group ints) ints { return group })
		}, model: same},
		{name: "GroupByUntil", apply: func(o ints) ints {
			return stream.GroupByUntil(o, func(int) int { return 0 }, block,
				func(int, ints) ints { return never },
				func(_ int, group ints) ints { return group })
		}, model: same},
		{name: "CombineLatest", apply: func(o ints) ints {
			return stream.CombineLatest(spaced(o), stream.Just(0), plus)
		}, model: same},
		{name: "WithLatestFrom", apply: func(o ints) ints {
			return stream.WithLatestFrom(spaced(o), stream.Concat(stream.Just(0), never), plus)
		}, model: same},
		{name: "Debounce", lossy: true, apply: func(o ints) ints { return stream.Debounce(apart(o), moment) }, model: same},
		{name: "Sample", lossy: true, apply: func(o ints) ints { return stream.Sample(apart(o), 400*time.Millisecond) }, model: same},
		{name: "Throttle", apply: func(o ints) ints { return stream.Throttle(spaced(o), moment) }, model: same},
		{name: "Buffer dropping", lossy: true, apply: func(o ints) ints {
			return stream.Buffer(spaced(o), stream.DropOldest[int](1))
		}, model: same},
		{name: "Race", apply: func(o ints) ints { return stream.Race(o, never) }, model: same},
		{name: "Share", apply: func(o ints) ints { return stream.Share(o, block) }, model: same, hot: true},
		{name: "Replay", apply: func(o ints) ints { return stream.Replay(o, 1, block) }, model: same, hot: true},
	}
}

// spaced is o with a second before each value, for operators to which time matters; to them, moment
// is next to none.
func spaced(o ints) ints { return stream.ConcatMap(o, afterASecond) }

// apart is o with a second before each value and before its end.
func apart(o ints) ints {
	return stream.Dematerialize(stream.ConcatMap(stream.Materialize(o),
		func(n stream.Notification[int]) stream.Observable[stream.Notification[int]] {
			return stream.Map(stream.Timer(time.Second), func(time.Time) stream.Notification[int] { return n })
		}))
}

const moment = time.Millisecond

func naturals(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}
