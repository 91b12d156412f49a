package stream_test

import (
	"context"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

// BenchmarkGroup is what a group takes that has got one value and waits for the next: on the heap, with
// the runtime's record of its goroutine, and as its goroutine's stack.
func BenchmarkGroup(b *testing.B) {
	const groups = 10_000
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		source := stream.Concat(stream.Map(numbers(groups), func(v int) item { return item{kind: v} }), stream.Never[item]())
		grouped := stream.GroupBy(source, func(i item) int { return i.kind }, stream.Policy[item]{},
			func(_ int, group stream.Observable[item]) stream.Observable[item] { return group })
		before := inUse()
		n := 0
		_ = grouped(ctx, func(item) bool {
			if n++; n == groups {
				after := inUse()
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/groups, "heap-B/group")
				b.ReportMetric(float64(after.StackInuse-before.StackInuse)/groups, "stack-B/group")
			}
			return n < groups
		})
		cancel()
	}
}
