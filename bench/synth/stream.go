// Package synth makes auto-configuration streams: a put, then patches and deletes as the service
// sends them, as server-sent events. What a client must know after them is recorded beside, so that
// every client can be held to it.
package synth

import (
	"iter"
	"maps"
	"math/rand/v2"

	"github.com/relaystream/autoconfig/decode"
)

// Counts is how often a client that has read the stream must have told its user of each kind of
// change of an environment.
type Counts struct {
	Added, Updated, Deleted, Synced int
}

// A Stream is the service's side of one stream: its environments, and the messages about them. A
// Stream must not be used concurrently.
type Stream struct {
	cfg     Config
	rng     *rand.Rand
	envs    []environment
	filters []filter
	counts  Counts
	block   []byte // the latest block, reused
}

// New returns the stream that cfg describes, before its first message.
func New(cfg Config) *Stream {
	s := &Stream{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x5eed))}
	listed := cfg.PutSize
	if listed == 0 {
		listed = cfg.Environments
	}
	s.envs = make([]environment, cfg.Environments)
	for i := range s.envs {
		s.envs[i] = s.newEnvironment()
		s.envs[i].unknown = i >= listed
	}
	s.filters = make([]filter, cfg.Filters)
	for i := range s.filters {
		s.filters[i] = filter{
			id:  decode.FilterID(s.id()),
			rep: decode.FilterRep{ProjKey: s.name(), FilterKey: s.name(), Version: 1},
		}
	}
	return s
}

// MarkID is the ID of the mark: the environment that no message but Mark's patches.
func (s *Stream) MarkID() decode.EnvironmentID { return s.envs[0].rep.EnvID }

// Put returns the put event of everything announced so far. Like all blocks it is valid until the
// next call of any method. Only a client that has seen no put yet is told of its environments.
func (s *Stream) Put() []byte {
	if s.counts.Synced == 0 {
		s.counts.Added += len(s.Environments())
	}
	s.counts.Synced++
	s.block = s.appendPut(s.block[:0])
	return s.block
}

// Mark returns a patch that updates the mark, and nothing else. Sent last, it tells that all
// before it has been read.
func (s *Stream) Mark() []byte {
	s.mark(writer{s})
	return s.block
}

// Rest yields the patches that add the environments which the put did not list.
func (s *Stream) Rest() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range s.envs {
			if e := &s.envs[i]; e.unknown {
				e.unknown = false
				s.counts.Added++
				s.block = appendPatch(s.block[:0], &e.rep)
				if !yield(s.block) {
					return
				}
			}
		}
	}
}

// Blocks yields the next n messages; a negative n means without end. The environments in them are
// announced ones, or become so.
func (s *Stream) Blocks(n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 0; n < 0 || i < n; i++ {
			s.next(writer{s})
			if !yield(s.block) {
				return
			}
		}
	}
}

// Counts returns what the messages so far add up to.
func (s *Stream) Counts() Counts { return s.counts }

// Environments returns what a client must know after the messages so far.
func (s *Stream) Environments() map[decode.EnvironmentID]decode.EnvironmentRep {
	known := make(map[decode.EnvironmentID]decode.EnvironmentRep, len(s.envs))
	for i := range s.envs {
		if e := &s.envs[i]; !e.unknown && !e.deleted {
			known[e.rep.EnvID] = e.rep
		}
	}
	return known
}

// Filters returns the filters that a client must know after the messages so far.
func (s *Stream) Filters() map[decode.FilterID]decode.FilterRep {
	return maps.Collect(func(yield func(decode.FilterID, decode.FilterRep) bool) {
		for _, f := range s.filters {
			if !yield(f.id, f.rep) {
				return
			}
		}
	})
}
