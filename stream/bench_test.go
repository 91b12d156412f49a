package stream_test

import (
	"context"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

// perItem benchmarks a subscription to o, which yields n values or makes its results of as many, and
// reports the time for each of them.
func perItem[T any](b *testing.B, ctx context.Context, n int, o stream.Observable[T]) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if err := o(ctx, func(T) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
}

const benchItems = 100_000

func benchSource() ints { return stream.Just(make([]int, benchItems)...) }

// BenchmarkOperators is what one synchronous operator costs, and a chain of five.
func BenchmarkOperators(b *testing.B) {
	ctx := b.Context()
	inc := func(v int) int { return v + 1 }
	always := func(int) bool { return true }
	run := func(name string, apply func(ints) ints) {
		b.Run(name, func(b *testing.B) { perItem(b, ctx, benchItems, apply(benchSource())) })
	}
	run("none", func(o ints) ints { return o })
	run("Map", func(o ints) ints { return stream.Map(o, inc) })
	run("Filter", func(o ints) ints { return stream.Filter(o, always) })
	run("Scan", func(o ints) ints { return stream.Scan(o, 0, plus) })
	run("Map, Filter, Map, Filter, Scan", func(o ints) ints {
		return stream.Scan(stream.Filter(stream.Map(stream.Filter(stream.Map(o, inc), always), inc), always), 0, plus)
	})
	run("Retry", func(o ints) ints { return stream.Retry(o, times(0, 0)) })
	run("BatchCount", func(o ints) ints { return stream.Map(stream.BatchCount(o, 64), func(b []int) int { return len(b) }) })
}

// BenchmarkSources is what a source costs, with the look at the context before each value.
func BenchmarkSources(b *testing.B) {
	values := make([]int, benchItems)
	background := context.Background()
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	b.Run("Just, background", func(b *testing.B) { perItem(b, background, benchItems, stream.Just(values...)) })
	b.Run("Just, cancellable", func(b *testing.B) { perItem(b, cancellable, benchItems, stream.Just(values...)) })
	b.Run("FromSeq", func(b *testing.B) {
		perItem(b, cancellable, benchItems, stream.Take(stream.FromSeq(naturals), benchItems))
	})
	b.Run("FromChan", func(b *testing.B) {
		perItem(b, cancellable, benchItems, stream.Defer(func() ints {
			values, _ := benchSource().Chan(cancellable, 256)
			return stream.FromChan(values)
		}))
	})
}

// BenchmarkTerminals is what a terminal adds to the source.
func BenchmarkTerminals(b *testing.B) {
	ctx := b.Context()
	run := func(name string, take func(ints)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			o := benchSource()
			for b.Loop() {
				take(o)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchItems), "ns/item")
		})
	}
	run("ForEach", func(o ints) { _ = o.ForEach(ctx, func(int) error { return nil }) })
	run("All", func(o ints) {
		for range o.All(ctx) {
		}
	})
	run("Collect", func(o ints) { _, _ = o.Collect(ctx) })
	run("Chan", func(o ints) {
		values, stop := o.Chan(ctx, 256)
		for range values {
		}
		_ = stop()
	})
}
