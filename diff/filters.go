package diff

import "github.com/relaystream/autoconfig/decode"

type filterSlot = slot[decode.FilterID, *Filter]

// usableFilter reports whether the entry of a message can be used.
func usableFilter(entry *decode.FilterEntry) bool {
	return entry.Err == nil && entry.ID != "" && entry.Rep != nil
}

// filterListed applies an entry of a put.
func (s *State) filterListed(known *filterSlot, entry *decode.FilterEntry, emit func(Change)) {
	switch {
	case !usableFilter(entry):
		s.stats.Skipped++
	case known.is(entry.Rep.Version):
		s.stats.Unchanged++
	default:
		s.upsertFilter(known, entry, emit)
	}
}

// upsertFilter applies a usable entry of a patch or put, in the version of its Rep.
func (s *State) upsertFilter(known *filterSlot, entry *decode.FilterEntry, emit func(Change)) {
	f := &Filter{ID: entry.ID, FilterRep: *entry.Rep}
	old, outcome := s.filters.upsert(known, f.Version, f)
	switch outcome {
	case Stale:
		s.stale(Subject{Filter: entry.ID}, f.Version)
	case Added:
		s.stats.Applied++
		emit(Change{Kind: FilterAdded, NewFilter: f})
	case Updated:
		s.stats.Applied++
		emit(Change{Kind: FilterUpdated, OldFilter: old, NewFilter: f})
	}
}

// filterDeleted emits the deletion of a filter. c says how it was deleted.
func (s *State) filterDeleted(old *Filter, c Change, emit func(Change)) {
	s.stats.Applied++
	c.Kind, c.OldFilter = FilterDeleted, old
	emit(c)
}
