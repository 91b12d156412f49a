package stream_test

import (
	"context"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

func BenchmarkBuffer(b *testing.B) {
	benchmarkValues(b, func(o stream.Observable[item]) stream.Observable[item] {
		return stream.Buffer(o, stream.Block[item](256))
	})
}

func BenchmarkMerge(b *testing.B) {
	benchmarkValues(b, func(o stream.Observable[item]) stream.Observable[item] {
		return stream.Merge(o, stream.Empty[item]())
	})
}

func BenchmarkMapParallel(b *testing.B) {
	benchmarkValues(b, func(o stream.Observable[item]) stream.Observable[item] {
		return stream.MapParallel(o, 2, func(_ context.Context, i item) (item, error) { return i, nil })
	})
}

// benchmarkValues measures what an operator costs for each value.
func benchmarkValues(b *testing.B, operator func(stream.Observable[item]) stream.Observable[item]) {
	endless := func(_ context.Context, yield func(item) bool) error {
		for i := 0; yield(item{kind: i}); i++ {
		}
		return nil
	}
	b.ReportAllocs()
	n := 0
	_ = operator(endless)(b.Context(), func(item) bool {
		n++
		return n < b.N
	})
}

// BenchmarkSubscribe is coming and going.
func BenchmarkSubscribe(b *testing.B) {
	s := stream.NewSubject[item]()
	s.Close(nil)
	o := s.Observe(stream.Block[item](256), nil)
	b.ReportAllocs()
	for b.Loop() {
		_ = o(b.Context(), func(item) bool { return true })
	}
}
