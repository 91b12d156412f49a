package stream_test

import (
	"math"
	"slices"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// furtherSynchronous are operators without a goroutine, beside those that synchronous lists itself.
func furtherSynchronous() []operator {
	return slices.Concat(observing(), bounding(), repeating())
}

// observing are the operators that tell of values, and pass them on.
func observing() []operator {
	return []operator{
		{name: "Finally", plain: true, apply: func(o ints) ints { return stream.Finally(o, func(error) {}) }, model: same},
		{name: "Timestamp", plain: true, apply: func(o ints) ints {
			return stream.Map(stream.Timestamp(o), func(v stream.TimestampValue[int]) int { return v.Value })
		}, model: same},
		{name: "TimeInterval", plain: true, apply: func(o ints) ints {
			return stream.Map(stream.TimeInterval(o), func(v stream.IntervalValue[int]) int { return v.Value })
		}, model: same},
		{name: "Pairwise", plain: true, apply: func(o ints) ints {
			return stream.Map(stream.Pairwise(o), func(p [2]int) int { return 10*p[0] + p[1] })
		}, model: func(s sequence) sequence {
			var pairs []int
			for i := 1; i < len(s.values); i++ {
				pairs = append(pairs, 10*s.values[i-1]+s.values[i])
			}
			return s.with(pairs)
		}},
	}
}

// bounding are the operators to which the end of their source matters.
func bounding() []operator {
	ifEmpty := func(next sequence) func(sequence) sequence {
		return func(s sequence) sequence {
			if len(s.values) == 0 && s.completes() {
				return next
			}
			return s
		}
	}
	return []operator{
		{name: "DefaultIfEmpty", apply: func(o ints) ints { return stream.DefaultIfEmpty(o, 7) },
			model: ifEmpty(sequence{values: []int{7}})},
		{name: "ThrowIfEmpty", apply: func(o ints) ints { return stream.ThrowIfEmpty(o, errMap) },
			model: ifEmpty(sequence{err: errMap})},
		{name: "TakeLast 2", apply: func(o ints) ints { return stream.TakeLast(o, 2) }, model: last(2)},
		{name: "TakeLast 0", apply: func(o ints) ints { return stream.TakeLast(o, 0) }, model: last(0)},
	}
}

// last is the last n values, if there is a last one.
func last(n int) func(sequence) sequence {
	return func(s sequence) sequence {
		if !s.completes() {
			return s.with(nil)
		}
		return s.with(s.values[max(0, len(s.values)-n):])
	}
}

// repeating are the operators that subscribe to several observables, or to one several times.
func repeating() []operator {
	return []operator{
		{name: "Repeat", apply: func(o ints) ints {
			once := stream.OnErrorResume(stream.StartWith(o, 0), stream.Empty[int]())
			return stream.Take(stream.Repeat(once), 7)
		}, model: func(s sequence) sequence {
			once := sequence{values: []int{0}}.then(sequence{values: s.values, endless: s.endless})
			for len(once.values) < 7 && once.completes() {
				once = once.then(once)
			}
			return once.cut(7)
		}},
		{name: "ConcatAll", apply: func(o ints) ints { return stream.ConcatAll(stream.Just(o, stream.Just(8, 9))) },
			model: func(s sequence) sequence { return s.then(sequence{values: []int{8, 9}}) }},
	}
}

// furtherAsynchronous are operators with goroutines, or with memory for every value, beside those that asynchronous lists itself.
func furtherAsynchronous() []operator {
	never := stream.Never[int]()
	return []operator{
		{name: "TakeLast of any number", apply: func(o ints) ints { return stream.TakeLast(o, math.MaxInt) }, model: last(math.MaxInt)},
		{name: "CombineLatestSlice of one", apply: func(o ints) ints {
			return stream.Map(stream.CombineLatestSlice(o), sum)
		}, model: same},
		{name: "MergeAll", apply: func(o ints) ints { return stream.MergeAll(stream.Just(o), 1) }, model: same},
		{name: "CombineLatestSlice", apply: func(o ints) ints {
			return stream.Map(stream.CombineLatestSlice(stream.Just(0), spaced(o), stream.Just(0)), sum)
		}, model: same},
		{name: "BatchWhen", apply: func(o ints) ints { return stream.Map(stream.BatchWhen(o, never), sum) },
			model: func(s sequence) sequence {
				return s.with(nil).then(sequence{values: []int{sum(s.values)}})
			}},
		{name: "SkipUntil", apply: func(o ints) ints { return stream.SkipUntil(spaced(o), stream.Just(0)) }, model: same},
		{name: "SkipUntil never", apply: func(o ints) ints { return stream.SkipUntil(o, never) },
			model: func(s sequence) sequence { return s.with(nil) }},
		{name: "SampleWhen", lossy: true, apply: func(o ints) ints {
			return stream.SampleWhen(apart(o), stream.Interval(odd))
		}, model: same},
		{name: "Audit", lossy: true, apply: func(o ints) ints { return stream.Audit(apart(o), moment) }, model: same},
		{name: "ThrottleLatest", lossy: true, apply: func(o ints) ints { return stream.ThrottleLatest(apart(o), moment) }, model: same},
	}
}

// odd is an interval of which no multiple is a time at which another operator does something.
const odd = 333_777 * time.Microsecond
