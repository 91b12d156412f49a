package main

import (
	"context"
	"iter"
	"time"

	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
)

var perPatch = []string{"ns/patch", "allocs/patch", "B/patch"}

func patches() scenario {
	return overConnection("patches", "patches over 1,000 environments, end to end", func(*synth.Config) {})
}

func keySets() scenario {
	return overConnection("patches-keysets", "the same of environments that list all accepted keys",
		func(cfg *synth.Config) { cfg.ConcurrentKeys = 1 })
}

// mixture is what a client may have to read, and not only the best case. The shares are guesses, because no stream of an
// account is public. They are rather too large than too small, since what they add is slower to read than a plain patch:
//
//   - 20 % of the environments list their accepted keys. The service sends the lists where an account uses concurrent
//     keys, and none otherwise.
//   - 5 % of the updates have a name outside ASCII or with an escape. The service's encoder escapes <, > and & in the
//     names that people give, so Search & Browse is among them. In three of four such updates the JSON has, moreover,
//     white space, another order or \/, which the service doesn't write, but a proxy or another server may.
//   - 5 % are older than what is known, and 5 % repeat it. Versions are on the wire because such messages come: the
//     changes just before a put may follow it, although it contains them.
//   - 2 % are deletions. People delete few environments; automation deletes those it has made for a branch.
//   - 5 % of the environments rotate their SDK key again and again, as in the other scenarios. Few do in reality, but
//     each rotation has a key that expires.
//
// Filters are left out, because the other peers don't have them.
func mixture() scenario {
	return overConnection("mixture", "the same with deletes, old and repeated messages, key sets and unusual JSON",
		func(cfg *synth.Config) {
			cfg.ConcurrentKeys, cfg.Unusual = 0.2, 0.05
			cfg.Stale, cfg.Unchanged, cfg.Deletes = 0.05, 0.05, 0.02
		})
}

func stale() scenario {
	return overConnection("stale", "patches that are older than what is known", func(cfg *synth.Config) { cfg.Stale = 1 })
}

func overConnection(name, about string, change func(*synth.Config)) scenario {
	return scenario{
		name: name, about: about, metrics: perPatch, baseline: "classic", cases: one,
		open: func(_ int, l load) (*field, error) {
			cfg := synth.Default()
			change(&cfg)
			return within(cfg, l, func(w *world) ([]trial, error) {
				first, measured, err := w.patches(l.size)
				return trialsOf(peers.Bytes, func(ctx context.Context, peer peers.Peer) (sample, error) {
					return w.measured(ctx, peer, first, measured, measured.Events)
				}), err
			})
		},
	}
}

// measured plays the first parts, and then measures p, which counts as n operations.
func (w *world) measured(ctx context.Context, peer peers.Peer, first []part, p part, n int) (sample, error) {
	return w.connected(ctx, peer, first, func(s *session) (sample, error) {
		values, err := measure(n, func() (time.Duration, error) { return s.play(p) })
		return sample{values: values}, err
	})
}

// patches renders parts that warm up a connection, and n patches to measure.
func (w *world) patches(n int) (first []part, measured part, err error) {
	put, err := w.put()
	if err != nil {
		return nil, part{}, err
	}
	rest, err := w.render(w.flush, concat(w.stream.Rest(), w.stream.Blocks(n/10)))
	if err != nil {
		return nil, part{}, err
	}
	measured, err = w.render(w.flush, w.stream.Blocks(n))
	return []part{put, rest}, measured, err
}

func concat(seqs ...iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, seq := range seqs {
			for v := range seq {
				if !yield(v) {
					return
				}
			}
		}
	}
}
