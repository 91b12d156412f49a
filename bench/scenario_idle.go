package main

import (
	"context"
	"errors"
	"runtime/metrics"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
)

// idle measures clients that know 1,000 environments and receive nothing more. After the put they receive
// a few patches, one at a time, as a client does most of its life. By then it should have freed the memory
// that only the put needed.
func idle() scenario {
	const singles = 20
	return scenario{
		name: "idle", about: "a client that receives nothing after a put and 20 single patches",
		metrics:  []string{"B/client", "goroutines/client", "wakeups/client/s"},
		baseline: "classic", cases: one,
		open: func(_ int, l load) (*field, error) {
			clients := min(max(1, l.size/1000), 100)
			watch := min(time.Duration(l.size)*10*time.Microsecond, time.Second)
			return within(synth.Default(), l, func(w *world) ([]trial, error) {
				put, err := w.put()
				if err != nil {
					return nil, err
				}
				marks, err := w.marks(singles)
				return trialsOf(peers.Bytes, func(ctx context.Context, peer peers.Peer) (sample, error) {
					return w.idle(ctx, peer, put, marks, clients, watch)
				}), err
			})
		},
	}
}

// idle connects clients, sends each of them the put and the marks, and watches them for a while.
func (w *world) idle(ctx context.Context, peer peers.Peer, put, marks part, clients int, watch time.Duration) (result sample, err error) {
	before := usage.AtRest()
	for range clients {
		s, failed := connect(ctx, w, peer, put)
		if failed != nil {
			return sample{}, failed
		}
		defer func() { err = errors.Join(err, s.end()) }()
		if _, err := s.oneByOne(marks); err != nil {
			return sample{}, err
		}
	}
	after := usage.AtRest()
	woken := wakeups()
	select {
	case <-time.After(watch):
	case <-ctx.Done():
		return sample{}, context.Cause(ctx)
	}
	woken = wakeups() - woken
	per := 1 / float64(clients)
	memory := float64(after.Heap+after.Stacks) - float64(before.Heap+before.Stacks)
	return sample{values: []float64{
		memory * per,
		float64(after.Goroutines-before.Goroutines) * per,
		woken * per / watch.Seconds(),
	}}, nil
}

// wakeups estimates how often goroutines have been scheduled: the runtime times one in eight.
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
