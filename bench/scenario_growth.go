package main

import (
	"context"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
)

// growth measures whether a patch costs more when there are more environments, and the memory of an
// environment. Clients limit the size of a put; beyond that, patches add the environments.
func growth() scenario {
	const largestPut = 100_000
	return scenario{
		name: "growth", about: "patches over more and more environments, and their memory",
		metrics: append(perPatch, "heap B/environment"), baseline: "classic", axis: "environments",
		cases: func(size int) []int {
			return []int{max(2, size/200), max(2, size/20), max(2, size/2), max(2, 5*size)}
		},
		open: func(x int, l load) (*field, error) {
			cfg := synth.Default()
			cfg.Environments, cfg.PutSize = x, min(x, largestPut)
			return within(cfg, l, func(w *world) ([]trial, error) {
				first, measured, err := w.patches(l.size)
				return trialsOf(peers.Changes, func(ctx context.Context, peer peers.Peer) (sample, error) {
					before := usage.Now().Heap
					return w.connected(ctx, peer, first, func(s *session) (sample, error) {
						held := float64(usage.Now().Heap) - float64(before)
						values, err := measure(measured.Events, func() (time.Duration, error) { return s.play(measured) })
						return sample{values: append(values, held/float64(x))}, err
					})
				}), err
			})
		},
	}
}
