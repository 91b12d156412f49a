package diff

import (
	"cmp"
	"fmt"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// DefaultMaxTombstones is how many deletions of each kind are remembered by default.
const DefaultMaxTombstones = 1 << 16

// Options refine Changes and NewState. The zero value, like nil, is the default.
type Options struct {
	// MaxTombstones limits how many deletions are remembered, for environments and for filters
	// separately. Beyond it the oldest is forgotten. The default is DefaultMaxTombstones. NewState
	// and Changes panic if it is negative.
	MaxTombstones int
	// Stale, if not nil, is called for each patch, delete or entry of a put that is ignored because its
	// version is not newer than the known one. It is called during Apply and must be quick.
	Stale func(s Subject, version int)
}

// resolve returns o with its defaults. It panics if they are wrong.
func (o *Options) resolve() Options {
	var resolved Options
	if o != nil {
		resolved = *o
	}
	if resolved.MaxTombstones < 0 {
		panic("diff: MaxTombstones is negative")
	}
	resolved.MaxTombstones = cmp.Or(resolved.MaxTombstones, DefaultMaxTombstones)
	return resolved
}

// A State is a configuration as the messages so far describe it, with the keys that will expire. It
// is not safe for concurrent use. The zero State is not usable; NewState makes one.
type State struct {
	environments *Table[decode.EnvironmentID, environment]
	filters      *Table[decode.FilterID, *Filter]
	schedule     schedule
	index        keyIndex    // nil until EnvironmentByKey is called
	timekeeper   *timekeeper // of Run; nil before
	options      Options
	stats        Stats
	synced       Change // the Synced of the last put, if that was complete, or of a Complete after it
	heard        bool   // a message of the server's was applied
	now          func() time.Time
}

// An environment is an item with its keyring, which is nil if none of its keys expires.
type environment struct {
	rep  *decode.EnvironmentRep
	keys *keyring
}

// Stats counts what a State has seen and holds.
type Stats struct {
	// Environments and Filters are how many there are.
	Environments, Filters int
	// Tombstones is how many deletions are remembered.
	Tombstones int
	// PendingExpiries is how many keys will expire.
	PendingExpiries int
	// Puts, Patches, Deletes, Omits, Completes and Ignored count messages by their kind. A saved put that came too
	// late counts as Ignored.
	Puts, Patches, Deletes, Omits, Completes, Ignored uint64
	// Applied counts additions, updates and deletions, Stale what was ignored because its version was
	// not newer, Unchanged the entries of puts with the known version, Expired the keys that expired.
	Applied, Stale, Unchanged, Expired uint64
	// Skipped counts the entries that could not be used: their Err is set, their ID is missing, or it is not
	// that of their Rep. Of several entries of a put with one ID the last counts.
	Skipped uint64
}

// NewState returns an empty state. The options are copied at the call.
func NewState(o *Options) *State {
	s := &State{now: time.Now, options: o.resolve()}
	s.environments = NewTable[decode.EnvironmentID, environment](s.options.MaxTombstones)
	s.filters = NewTable[decode.FilterID, *Filter](s.options.MaxTombstones)
	return s
}

// Environment returns the environment with the ID, or nil: a decode.Options.Known.
func (s *State) Environment(id []byte) *decode.EnvironmentRep {
	e, _, _ := s.environments.Get(decode.EnvironmentID(id))
	return e.rep
}

// Held returns how many environments and filters there are: a decode.Options.Held. Because the decoding of the
// server's put depends on that, a saved put that is applied later is ignored.
func (s *State) Held() (environments, filters int) {
	s.heard = true
	return s.environments.Len(), s.filters.Len()
}

// Snapshot returns the state as the changes that make it from nothing: additions in the order in
// which they took place, and Synced if the last put was complete.
func (s *State) Snapshot() []Change {
	all := make([]Change, 0, s.environments.Len()+s.filters.Len()+1)
	for _, e := range s.environments.All {
		all = append(all, Change{Kind: EnvironmentAdded, New: e.rep})
	}
	for _, f := range s.filters.All {
		all = append(all, Change{Kind: FilterAdded, NewFilter: f})
	}
	if s.synced.Kind == Synced {
		all = append(all, s.synced)
	}
	return all
}

// Stats returns the counts up to now.
func (s *State) Stats() Stats {
	stats := s.stats
	stats.Environments, stats.Filters = s.environments.Len(), s.filters.Len()
	stats.Tombstones = s.environments.Tombstones() + s.filters.Tombstones()
	for _, r := range s.schedule {
		stats.PendingExpiries += r.pending
	}
	return stats
}

// Format implements fmt.Formatter for every verb: how much there is, because a state holds keys.
func (s State) Format(f fmt.State, _ rune) {
	if s.environments == nil { // the zero State can be shown, if nothing else
		s = *NewState(nil)
	}
	_, _ = fmt.Fprintf(f, "diff.State(%d environments, %d filters)", s.environments.Len(), s.filters.Len())
}
