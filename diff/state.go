package diff

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// DefaultMaxTombstones is how many deletions of each kind are remembered by default.
const DefaultMaxTombstones = 1 << 16

// Options refine Changes and NewState. The zero value, like nil, is the default.
type Options struct {
	// MaxTombstones limits the number of deletions, of environments and of filters each, of which
	// the version is remembered; past it the oldest is forgotten. The default is
	// DefaultMaxTombstones. A negative number is an error of the programmer, and panics.
	MaxTombstones int
	// Stale, if not nil, is called for a patch, delete or entry of a put of which the version is not
	// newer than the known one, and which is ignored. It is called during Apply and must be quick.
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
	environments *Table[decode.EnvironmentID, *decode.EnvironmentRep]
	filters      *Table[decode.FilterID, *Filter]
	schedule     schedule
	timekeeper   *timekeeper // of Run; nil before
	options      Options
	stats        Stats
	synced       Change // the last Synced
	heard        bool   // a message of the server's has been applied
	now          func() time.Time
}

// Stats counts what a State has seen and holds.
type Stats struct {
	// Environments and Filters are how many there are.
	Environments, Filters int
	// Tombstones is how many deletions are remembered.
	Tombstones int
	// PendingExpiries is how many keys will expire.
	PendingExpiries int
	// Puts, Patches, Deletes and Ignored count messages by their kind.
	Puts, Patches, Deletes, Ignored uint64
	// Applied counts additions, updates and deletions, Stale what was ignored because its version was
	// not newer, Unchanged the entries of puts with the known version, Expired the keys that expired.
	Applied, Stale, Unchanged, Expired uint64
	// Skipped counts the entries of puts that could not be used, as their Err tells. Of several of one ID
	// the last counts.
	Skipped uint64
}

// NewState returns an empty state. The options are copied at the call.
func NewState(o *Options) *State {
	s := &State{now: time.Now, options: o.resolve()}
	s.environments = NewTable[decode.EnvironmentID, *decode.EnvironmentRep](s.options.MaxTombstones)
	s.filters = NewTable[decode.FilterID, *Filter](s.options.MaxTombstones)
	return s
}

// Environment returns the environment with the ID, or nil: a decode.Options.Known.
func (s *State) Environment(id []byte) *decode.EnvironmentRep {
	e, _, _ := s.environments.Get(decode.EnvironmentID(id))
	return e
}

// Snapshot returns the state as the changes that make it from nothing: additions in the order in
// which they took place, and Synced if there was one.
func (s *State) Snapshot() []Change {
	all := make([]Change, 0, s.environments.Len()+s.filters.Len()+1)
	for _, e := range s.environments.All {
		all = append(all, Change{Kind: EnvironmentAdded, New: e})
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
	stats.PendingExpiries = len(s.schedule.queue)
	return stats
}

// Format implements fmt.Formatter for every verb: how much there is, because a state holds keys.
func (s State) Format(f fmt.State, _ rune) {
	if s.environments == nil { // the zero State can be shown, if nothing else
		s = *NewState(nil)
	}
	_, _ = fmt.Fprintf(f, "diff.State(%d environments, %d filters)", s.environments.Len(), s.filters.Len())
}

// Apply applies a message and emits the changes that it makes. Before a put it expires the keys whose
// time has come, because the machine may have been asleep; otherwise that is for Expire alone.
func (s *State) Apply(ctx context.Context, m *decode.Message, emit func(Change)) error {
	switch m.Kind {
	case decode.Put:
		if m.Put.Cached && s.heard {
			s.stats.Ignored++
			break
		}
		s.heard = !m.Put.Cached
		s.stats.Puts++
		s.Expire(emit)
		s.put(m.Put, emit)
	case decode.Patch:
		s.heard = true
		s.stats.Patches++
		s.patch(m, emit)
	case decode.Delete:
		s.heard = true
		s.stats.Deletes++
		s.delete(m, emit)
	case decode.Ignored:
		s.stats.Ignored++
	}
	if s.timekeeper != nil {
		s.timekeeper.arm()
	}
	return nil
}

func (s *State) patch(m *decode.Message, emit func(Change)) {
	if entry := &m.Filter; entry.ID != "" {
		f := newFilter(entry)
		old, outcome := s.filters.Upsert(f.ID, f.Version, f)
		s.filterChanged(entry, old, f, outcome, emit)
		return
	}
	entry := &m.Environment
	if entry.Rep == nil {
		s.stale(Subject{Environment: entry.ID}, entry.Version)
		return
	}
	e := s.prune(entry.Rep)
	old, outcome := s.environments.Upsert(entry.ID, entry.Version, e)
	s.environmentChanged(entry, old, e, outcome, emit)
}

func (s *State) delete(m *decode.Message, emit func(Change)) {
	if entry := &m.Filter; entry.ID != "" {
		old, outcome := s.filters.Delete(entry.ID, entry.Version)
		s.filterChanged(entry, old, nil, outcome, emit)
		return
	}
	entry := &m.Environment
	old, outcome := s.environments.Delete(entry.ID, entry.Version)
	s.environmentChanged(entry, old, nil, outcome, emit)
}

func (s *State) put(put *decode.Listing, emit func(Change)) {
	s.putEnvironments(put.Environments, emit)
	if put.FiltersErr == nil {
		s.putFilters(put.Filters, emit)
	}
	s.synced = Change{Kind: Synced, Cached: put.Cached}
	emit(s.synced)
}

func (s *State) putEnvironments(entries []decode.EnvironmentEntry, emit func(Change)) {
	entry := func(i int) Entry[decode.EnvironmentID, *decode.EnvironmentRep] {
		e := &entries[i]
		return Entry[decode.EnvironmentID, *decode.EnvironmentRep]{Key: e.ID, Version: e.Version, Value: e.Rep, Unusable: e.Rep == nil}
	}
	changed := func(i int, old *decode.EnvironmentRep, outcome Outcome) {
		e := entries[i].Rep
		switch {
		case entries[i].Err != nil:
			s.stats.Skipped++
			return
		case e == nil:
			s.stale(Subject{Environment: entries[i].ID}, entries[i].Version)
			return
		case outcome == Added || outcome == Updated:
			if e = s.prune(e); e != entries[i].Rep {
				s.environments.Replace(e.EnvID, e)
			}
		}
		s.environmentChanged(&entries[i], old, e, outcome, emit)
	}
	deleted := func(_ decode.EnvironmentID, old *decode.EnvironmentRep) {
		s.environmentChanged(nil, old, nil, Deleted, emit)
	}
	s.environments.Put(len(entries), entry, changed, deleted)
}

func (s *State) putFilters(entries []decode.FilterEntry, emit func(Change)) {
	filters := make([]*Filter, len(entries))
	for i := range entries {
		if entries[i].Err == nil {
			filters[i] = newFilter(&entries[i])
		}
	}
	entry := func(i int) Entry[decode.FilterID, *Filter] {
		e := &entries[i]
		return Entry[decode.FilterID, *Filter]{Key: e.ID, Version: e.Version, Value: filters[i], Unusable: filters[i] == nil}
	}
	changed := func(i int, old *Filter, outcome Outcome) {
		if filters[i] == nil {
			s.stats.Skipped++
			return
		}
		s.filterChanged(&entries[i], old, filters[i], outcome, emit)
	}
	deleted := func(_ decode.FilterID, old *Filter) { s.filterChanged(nil, old, nil, Deleted, emit) }
	s.filters.Put(len(entries), entry, changed, deleted)
}

func newFilter(e *decode.FilterEntry) *Filter { return &Filter{ID: e.ID, FilterRep: *e.Rep} }

// environmentChanged counts and emits what a message meant for an environment, and schedules the
// expiry of its keys.
func (s *State) environmentChanged(entry *decode.EnvironmentEntry, old, e *decode.EnvironmentRep, outcome Outcome, emit func(Change)) {
	switch outcome {
	case Added:
		emit(Change{Kind: EnvironmentAdded, New: e})
		s.reschedule(nil, entry.Rep, e, emit)
	case Updated:
		emit(Change{Kind: EnvironmentUpdated, Old: old, New: e})
		s.reschedule(old, entry.Rep, e, emit)
	case Deleted:
		s.schedule.cancel(old.EnvID)
		emit(deleted(Change{Kind: EnvironmentDeleted, Old: old}, entry))
	case Stale:
		s.stale(Subject{Environment: entry.ID}, entry.Version)
	}
	s.count(outcome, e != nil)
}

func (s *State) filterChanged(entry *decode.FilterEntry, old, f *Filter, outcome Outcome, emit func(Change)) {
	switch outcome {
	case Added:
		emit(Change{Kind: FilterAdded, NewFilter: f})
	case Updated:
		emit(Change{Kind: FilterUpdated, OldFilter: old, NewFilter: f})
	case Deleted:
		emit(deleted(Change{Kind: FilterDeleted, OldFilter: old}, entry))
	case Stale:
		s.stale(Subject{Filter: entry.ID}, entry.Version)
	}
	s.count(outcome, f != nil)
}

// deleted completes c with the deletion by entry, or by a put without one.
func deleted[ID decode.EnvironmentID | decode.FilterID, Rep any](c Change, entry *decode.Entry[ID, Rep]) Change {
	if entry == nil {
		c.Omitted = true
	} else {
		c.Version = entry.Version
	}
	return c
}

// EnvironmentByKey returns the environment that accepts a key, or nil.
func (s *State) EnvironmentByKey(key Key) *decode.EnvironmentRep {
	for _, e := range s.environments.All {
		for _, k := range e.AcceptedKeys() {
			if k.SDKKey == key.SDKKey && k.MobileKey == key.MobileKey && (k.Expiry.IsZero() || k.Expiry.After(s.now())) {
				return e
			}
		}
	}
	return nil
}

func (s *State) count(outcome Outcome, present bool) {
	switch {
	case outcome == Added || outcome == Updated || outcome == Deleted:
		s.stats.Applied++
	case outcome == Ignored && present:
		s.stats.Unchanged++
	}
}

func (s *State) stale(subject Subject, version int) {
	s.stats.Stale++
	if s.options.Stale != nil {
		s.options.Stale(subject, version)
	}
}
