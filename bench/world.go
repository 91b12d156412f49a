package main

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/relaystream/autoconfig/bench/feed"
	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/decode"
)

// A world is a server and a stream whose parts are rendered in advance. Every peer gets the same parts.
type world struct {
	server *feed.Server
	stream *synth.Stream // nil once everything is rendered
	mark   decode.EnvironmentID
	flush  int
	parts  []part
	// patience is the time that a peer has for a part, in addition to a time in proportion to its size.
	patience time.Duration
}

// within makes a world and lets prepare render its parts and choose its trials. It then drops the stream,
// which would slow down the garbage collector.
func within(cfg synth.Config, l load, prepare func(*world) ([]trial, error)) (*field, error) {
	server, err := feed.Listen()
	if err != nil {
		return nil, err
	}
	stream := synth.New(cfg)
	w := &world{server: server, stream: stream, mark: stream.MarkID(), flush: l.flush, patience: time.Minute}
	trials, err := prepare(w)
	if err != nil {
		w.close()
		return nil, err
	}
	w.stream = nil
	return &field{trials: trials, close: w.close}, nil
}

// render renders the next part of the stream: blocks and an update of the mark.
func (w *world) render(flush int, blocks iter.Seq[[]byte]) (part, error) {
	segment, err := feed.Render(flush, func(yield func([]byte) bool) {
		for block := range blocks {
			if !yield(block) {
				return
			}
		}
		yield(w.stream.Mark())
	})
	if err != nil {
		return part{}, err
	}
	p := part{Segment: segment, counts: w.stream.Counts()}
	w.parts = append(w.parts, p)
	return p, nil
}

// put renders a single event with everything.
func (w *world) put() (part, error) {
	return w.render(1, func(yield func([]byte) bool) { yield(w.stream.Put()) })
}

// marks renders n updates of the mark, each in a chunk of its own.
func (w *world) marks(n int) (part, error) {
	return w.render(1, func(yield func([]byte) bool) {
		for range n - 1 { // render adds one
			if !yield(w.stream.Mark()) {
				return
			}
		}
	})
}

func (w *world) close() {
	for _, p := range w.parts {
		p.Free()
	}
	_ = w.server.Close()
}

// trialsOf returns a trial for each peer that reaches the level.
func trialsOf(level peers.Level, run func(context.Context, peers.Peer) (sample, error)) []trial {
	var trials []trial
	for _, peer := range peers.All() {
		if peer.Level >= level {
			trials = append(trials, trial{peer: peer.Name, about: peer.About, run: func(ctx context.Context) (sample, error) {
				return run(ctx, peer)
			}})
		}
	}
	return trials
}

// connected returns the result of f for a session that has played the first parts.
func (w *world) connected(ctx context.Context, peer peers.Peer, first []part, f func(*session) (sample, error)) (sample, error) {
	s, err := connect(ctx, w, peer, first...)
	if err != nil {
		return sample{}, err
	}
	result, err := f(s)
	return result, errors.Join(err, s.end())
}
