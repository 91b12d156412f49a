package main

import (
	"context"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
)

// The last two metrics are about the growth of the heap by reading the put: how large it is at most while the put is
// read, with the garbage that is not collected yet, and what is left of it after a collection.
var perEnvironment = []string{"ns/environment", "allocs/environment", "B/environment", "peak B/environment", "kept B/environment"}

func putUnchanged() scenario {
	return puts("put-unchanged", "the put after a reconnection, with nothing changed",
		func(put, again part) ([]part, part) { return []part{put}, again })
}

func putFirst() scenario {
	return puts("put-first", "the first put of a connection",
		func(put, _ part) ([]part, part) { return nil, put })
}

// puts measures one of two equal puts, after those that choose returns first.
func puts(name, about string, choose func(put, again part) (first []part, measured part)) scenario {
	return scenario{
		name: name, about: about, metrics: perEnvironment, baseline: "classic", cases: one,
		open: func(_ int, l load) (*field, error) {
			cfg := synth.Default()
			cfg.Environments = max(2, l.size/2)
			return within(cfg, l, func(w *world) ([]trial, error) {
				put, err := w.put()
				if err != nil {
					return nil, err
				}
				again, err := w.put()
				first, measured := choose(put, again)
				return trialsOf(peers.Bytes, func(ctx context.Context, peer peers.Peer) (sample, error) {
					return w.connected(ctx, peer, first, func(s *session) (sample, error) {
						before := usage.Now().Heap
						stop := usage.Watch()
						values, err := measure(cfg.Environments, func() (time.Duration, error) { return s.play(measured) })
						for _, heap := range []uint64{stop(), usage.Now().Heap} {
							values = append(values, (float64(heap)-float64(before))/float64(cfg.Environments))
						}
						return sample{values: values}, err
					})
				}), err
			})
		},
	}
}
