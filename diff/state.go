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
	// MaxTombstones limits the number of deletions whose version is remembered, of environments and of
	// filters each. Beyond it the oldest is forgotten. The default is DefaultMaxTombstones. NewState and
	// Changes panic if it is negative.
	MaxTombstones int
	// Stale, if not nil, is called for a patch, delete or entry of a put that is ignored because its version
	// is not newer than the known one. It is called during Apply and must be quick.
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

// A State is the configuration that the messages so far describe, with the keys that will expire. It
// is not safe for concurrent use. The zero State is not usable; NewState makes one.
type State struct {
	environments *Table[decode.EnvironmentID, environment]
	filters      *Table[decode.FilterID, *Filter]
	schedule     schedule
	index        keyIndex    // nil until EnvironmentByKey is called
	timekeeper   *timekeeper // of Run; nil before
	options      Options
	stats        Stats
	synced       Change // the Synced of the last put, if that was complete
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
	// Environments and Filters are the numbers of items.
	Environments, Filters int
	// Tombstones is the number of deletions that are remembered.
	Tombstones int
	// PendingExpiries is the number of keys that will expire.
	PendingExpiries int
	// Puts, Patches, Deletes and Ignored count messages by their kind. A saved put counts as Ignored if it
	// comes after a message of the server.
	Puts, Patches, Deletes, Ignored uint64
	// Applied counts additions, updates and deletions.
	Applied uint64
	// Stale counts patches, deletes and entries of puts whose version was not newer than the known one.
	Stale uint64
	// Unchanged counts entries of puts with the known version.
	Unchanged uint64
	// Expired counts the keys that expired.
	Expired uint64
	// Skipped counts entries that could not be used: their Err is set, or their ID is empty or not that of
	// their Rep. Of several entries of a put with one ID the last counts.
	Skipped uint64
}

// NewState returns an empty state. The options are copied at the call.
func NewState(o *Options) *State {
	s := &State{now: time.Now, options: o.resolve()}
	s.environments = NewTable[decode.EnvironmentID, environment](s.options.MaxTombstones)
	s.filters = NewTable[decode.FilterID, *Filter](s.options.MaxTombstones)
	return s
}

// Environment returns the environment with the ID, or nil. It has the signature of decode.Options.Known.
func (s *State) Environment(id []byte) *decode.EnvironmentRep {
	e, _, _ := s.environments.Get(decode.EnvironmentID(id))
	return e.rep
}

// Snapshot returns the changes that lead from nothing to the state: additions in the order in
// which they took place, and Synced if the last put was applied completely.
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

// Format implements fmt.Formatter. Every verb prints the numbers of items only, because a state holds keys.
func (s State) Format(f fmt.State, _ rune) {
	if s.environments == nil { // the zero State
		s = *NewState(nil)
	}
	_, _ = fmt.Fprintf(f, "diff.State(%d environments, %d filters)", s.environments.Len(), s.filters.Len())
}
