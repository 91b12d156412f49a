package main

import (
	"context"
	"slices"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
)

// latency sends one patch at a time to a client that has nothing else to do.
func latency() scenario {
	return scenario{
		name: "latency", about: "from the server's write to the handler's call, one patch at a time",
		metrics: []string{"p50 ns", "p99 ns", "p99.9 ns"}, baseline: "classic", cases: one,
		open: func(_ int, l load) (*field, error) {
			return within(synth.Default(), l, func(w *world) ([]trial, error) {
				put, err := w.put()
				if err != nil {
					return nil, err
				}
				marks, err := w.marks(max(10, l.size/10))
				return trialsOf(peers.Bytes, func(ctx context.Context, peer peers.Peer) (sample, error) {
					return w.connected(ctx, peer, []part{put}, func(s *session) (sample, error) {
						return s.oneByOne(marks)
					})
				}), err
			})
		},
	}
}

// oneByOne sends the chunks of marks, each with one update of the mark, and waits after each until it has
// been read. The first tenth is not measured.
func (s *session) oneByOne(marks part) (sample, error) {
	defer s.limit(marks)()
	var took []float64
	for i := range marks.Len() {
		s.sink.expect(s.peer.Level, marks.Size(i), 1)
		start := time.Now()
		if err := s.conn.SendChunk(marks.Segment, i); err != nil {
			return sample{}, err
		}
		elapsed, err := s.wait(start)
		if err != nil {
			return sample{}, err
		}
		if i >= marks.Len()/10 {
			took = append(took, float64(elapsed.Nanoseconds()))
		}
	}
	slices.Sort(took)
	return sample{
		values:    []float64{quantile(took, 0.5), quantile(took, 0.99), quantile(took, 0.999)},
		latencies: took,
	}, nil
}
