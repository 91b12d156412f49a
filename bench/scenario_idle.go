package main

import (
	"context"
	"errors"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
)

// idle looks at clients that know 1,000 environments and to which nothing happens.
func idle() scenario {
	return scenario{
		name: "idle", about: "a connected client to which nothing happens",
		metrics:  []string{"B/client", "goroutines/client", "wakeups/client/s"},
		baseline: "classic", cases: one,
		open: func(_ int, l load) (*field, error) {
			clients := min(max(1, l.size/1000), 100)
			watch := min(time.Duration(l.size)*10*time.Microsecond, time.Second)
			return within(synth.Default(), l, func(w *world) ([]trial, error) {
				put, err := w.put()
				return trialsOf(peers.Bytes, func(ctx context.Context, peer peers.Peer) (sample, error) {
					return w.idle(ctx, peer, put, clients, watch)
				}), err
			})
		},
	}
}

// idle connects clients, all of them with the put, and watches them for a while.
func (w *world) idle(ctx context.Context, peer peers.Peer, put part, clients int, watch time.Duration) (result sample, err error) {
	memory, goroutines := footprint()
	for range clients {
		s, failed := connect(ctx, w, peer, put)
		if failed != nil {
			return sample{}, failed
		}
		defer func() { err = errors.Join(err, s.end()) }()
	}
	moreMemory, moreGoroutines := footprint()
	woken := wakeups()
	select {
	case <-time.After(watch):
	case <-ctx.Done():
		return sample{}, context.Cause(ctx)
	}
	woken = wakeups() - woken
	per := 1 / float64(clients)
	return sample{values: []float64{
		max(0, moreMemory-memory) * per,
		(moreGoroutines - goroutines) * per,
		woken * per / watch.Seconds(),
	}}, nil
}

// footprint returns the memory of heap and stacks in use, and the number of goroutines.
func footprint() (memory, goroutines float64) {
	inUse := heap()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(inUse + m.StackInuse), float64(runtime.NumGoroutine())
}

// wakeups estimates how often a goroutine has been scheduled: the runtime times one in eight.
func wakeups() float64 {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	total := uint64(0)
	for _, n := range sample[0].Value.Float64Histogram().Counts {
		total += n
	}
	return 8 * float64(total)
}
