// Package synth generates auto-configuration streams: a put, then patches and deletes, as the server-sent
// events that the service writes. It records the state that follows from them, so that tests can compare
// the state of a client with it.
package synth

import (
	"iter"
	"maps"
	"math/rand/v2"

	"github.com/relaystream/autoconfig/decode"
)

// Counts are the numbers of changes of each kind that a client must have reported when it has read the
// stream.
type Counts struct {
	Added, Updated, Deleted, Synced int
}

// A Stream generates the messages of one stream and keeps the environments that they are about. It is not
// safe for concurrent use.
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

// MarkID returns the ID of the mark, an environment that only the messages of Mark patch.
func (s *Stream) MarkID() decode.EnvironmentID { return s.envs[0].rep.EnvID }

// Put returns a put event of everything announced so far. Like all blocks, it is valid until the next call
// of any method. For Counts, only the first put adds environments.
func (s *Stream) Put() []byte {
	if s.counts.Synced == 0 {
		s.counts.Added += len(s.Environments())
	}
	s.counts.Synced++
	s.block = s.appendPut(s.block[:0])
	return s.block
}

// Mark returns a patch that only updates the mark. A client that has received it has read everything
// before it.
func (s *Stream) Mark() []byte {
	s.mark(writer{s})
	return s.block
}

// Rest yields patches that add the environments that are not in the put.
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

// Blocks yields the next n messages, without end if n is negative. They announce the environments that
// they are about, if need be.
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

// Counts returns the changes that follow from the messages so far.
func (s *Stream) Counts() Counts { return s.counts }

// Environments returns the environments that a client must have after the messages so far.
func (s *Stream) Environments() map[decode.EnvironmentID]decode.EnvironmentRep {
	known := make(map[decode.EnvironmentID]decode.EnvironmentRep, len(s.envs))
	for i := range s.envs {
		if e := &s.envs[i]; !e.unknown && !e.deleted {
			known[e.rep.EnvID] = e.rep
		}
	}
	return known
}

// Filters returns the filters that a client must have after the messages so far.
func (s *Stream) Filters() map[decode.FilterID]decode.FilterRep {
	return maps.Collect(func(yield func(decode.FilterID, decode.FilterRep) bool) {
		for _, f := range s.filters {
			if !yield(f.id, f.rep) {
				return
			}
		}
	})
}
