package stream_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

// An item is as large as a change of two items.
type item struct {
	kind int
	_    [2]*int
}

func BenchmarkSubject(b *testing.B) {
	for _, n := range []int{0, 1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkSubject(b, n, stream.Block[item](256)) })
	}
	for _, p := range []stream.Policy[item]{
		stream.DropOldest[item](256), stream.DropNewest[item](256),
		stream.Coalesce(256, func(i item) int { return i.kind }, func(_, v item) (item, stream.Place) { return v, stream.AtOlder }),
	} {
		b.Run("100/"+p.String(), func(b *testing.B) { benchmarkSubject(b, 100, p) })
	}
}

func benchmarkSubject(b *testing.B, subscribers int, p stream.Policy[item]) {
	s := stream.NewSubject[item]()
	var running sync.WaitGroup
	for range subscribers {
		running.Go(func() {
			_ = s.Observe(p, nil)(context.Background(), func(item) bool { return true })
		})
	}
	for len(s.Subscribers()) < subscribers {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if s.Publish(ctx, item{kind: i & 1023}) != nil {
			b.Fatal("closed")
		}
	}
	s.Close(nil)
	running.Wait()
}

// BenchmarkIdleSubscriber is what a subscriber takes that has got one value and waits for the next: on
// the heap, with the runtime's record of its goroutine, and as its goroutine's stack.
func BenchmarkIdleSubscriber(b *testing.B) {
	const subscribers = 10_000
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		s := stream.NewSubject[item]()
		var got, running sync.WaitGroup
		got.Add(subscribers)
		before := inUse()
		for range subscribers {
			running.Go(func() {
				_ = s.Observe(stream.Block[item](256), func() []item { return []item{{}} })(ctx, func(item) bool {
					got.Done()
					return true
				})
			})
		}
		got.Wait()
		after := inUse()
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/subscribers, "heap-B/subscriber")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/subscribers, "stack-B/subscriber")
		cancel()
		running.Wait()
	}
}

func inUse() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
