package stream_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

var (
	errEnd   = errors.New("the source's error")
	errMap   = errors.New("a callback's error")
	errCause = errors.New("the context's cause")
)

type ints = stream.Observable[int]

// A sequence is what an observable does, as data: its values and then an error, completion, or
// nothing any more.
type sequence struct {
	values  []int
	err     error
	endless bool
}

// ends reports whether the sequence completes.
func (s sequence) completes() bool { return s.err == nil && !s.endless }

// with replaces the values.
func (s sequence) with(values []int) sequence {
	s.values = values
	return s
}

// cut is the sequence completed after n values, if it has as many.
func (s sequence) cut(n int) sequence {
	if len(s.values) < n {
		return s
	}
	return sequence{values: s.values[:n]}
}

// then is the sequence followed by another if it completes.
func (s sequence) then(next sequence) sequence {
	if !s.completes() {
		return s
	}
	return next.with(slices.Concat(s.values, next.values))
}

// each is the sequence with every value replaced by what f makes of it.
func (s sequence) each(f func(int) []int) sequence {
	var values []int
	for _, v := range s.values {
		values = append(values, f(v)...)
	}
	return s.with(values)
}

// A source is an observable with its model.
type source struct {
	name string
	make func() ints
	sequence
	hot bool
}

func sources() []source {
	values := []int{1, 2, 2, 3}
	channel := func(close func(chan int)) func() ints {
		return func() ints {
			ch := make(chan int, len(values))
			for _, v := range values {
				ch <- v
			}
			close(ch)
			return stream.FromChan(ch)
		}
	}
	seq2 := func(yield func(int, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
		yield(99, errEnd)
	}
	always := func(o ints) func() ints { return func() ints { return o } }
	return []source{
		{"Just", always(stream.Just(values...)), sequence{values: values}, false},
		{"FromSlice", always(stream.FromSlice(values)), sequence{values: values}, false},
		{"Empty", stream.Empty[int], sequence{}, false},
		{"FromSlice nothing", always(stream.FromSlice[int](nil)), sequence{}, false},
		{"Never", stream.Never[int], sequence{endless: true}, false},
		{"Fail", always(stream.Fail[int](errEnd)), sequence{err: errEnd}, false},
		{"FromSeq", always(stream.FromSeq(slices.Values(values))), sequence{values: values}, false},
		{"FromSeq nothing", always(stream.FromSeq(slices.Values([]int(nil)))), sequence{}, false},
		{"FromSeq2", always(stream.FromSeq2(seq2)), sequence{values: values, err: errEnd}, false},
		{"FromSeq2 nothing", always(stream.FromSeq2(func(func(int, error) bool) {})), sequence{}, false},
		{"FromChan closed", channel(func(ch chan int) { close(ch) }), sequence{values: values}, true},
		{"FromChan open", channel(func(chan int) {}), sequence{values: values, endless: true}, true},
		{"FromChan nil", always(stream.FromChan[int](nil)), sequence{endless: true}, false},
		{"FromFunc", always(stream.FromFunc(func(context.Context) (int, error) { return 1, nil })), sequence{values: []int{1}}, false},
		{"FromFunc failing", always(stream.FromFunc(func(context.Context) (int, error) { return 1, errEnd })), sequence{err: errEnd}, false},
		{"FromFunc waiting", always(stream.FromFunc(func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err() // not the cause
		})), sequence{endless: true}, false},
		{"Defer", always(stream.Defer(func() ints { return stream.Just(values...) })), sequence{values: values}, false},
		{"Behavior", func() ints { return stream.NewBehavior(1).Observe(stream.Block[int](1)) }, sequence{values: []int{1}, endless: true}, false},
		{"Behavior closed", func() ints {
			b := stream.NewBehavior(1)
			b.Close(errEnd)
			return b.Observe(stream.Block[int](1))
		}, sequence{values: []int{1}, err: errEnd}, false},
		{"failing", always(stream.Concat(stream.Just(values...), stream.Fail[int](errEnd))), sequence{values: values, err: errEnd}, false},
		{"waiting", always(stream.Concat(stream.Just(values...), stream.Never[int]())), sequence{values: values, endless: true}, false},
		{"Timer", always(stream.ConcatMap(stream.Just(values...), afterASecond)), sequence{values: values}, false},
		{"Interval", always(ticks), sequence{values: []int{1, 2, 3, 4}, endless: true}, false},
	}
}

// afterASecond is v, a second later.
func afterASecond(v int) ints {
	return stream.Map(stream.Timer(time.Second), func(time.Time) int { return v })
}

// ticks numbers the ticks of a subscription to Interval. A subscriber that needs longer than an
// interval loses some; it therefore stops the clock, which is of no use but here.
func ticks(ctx context.Context, yield func(int) bool) error {
	k := 0
	for {
		stopped := false
		err := stream.Take(stream.Interval(time.Minute), 1)(ctx, func(time.Time) bool {
			k++
			stopped = !yield(k)
			return !stopped
		})
		if stopped || err != nil {
			return err
		}
	}
}
