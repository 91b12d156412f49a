package diff

import (
	"context"

	"github.com/relaystream/autoconfig/decode"
)

type environmentSlot = slot[decode.EnvironmentID, environment]

// usable reports whether the entry of a message can be used. It may have no Rep.
func usable(entry *decode.EnvironmentEntry) bool {
	return entry.Err == nil && entry.ID != "" && (entry.Rep == nil || entry.Rep.EnvID == entry.ID)
}

// listed applies an entry of a put.
func (s *State) listed(known *environmentSlot, entry *decode.EnvironmentEntry, emit func(Change)) {
	switch same := entry.Rep != nil && entry.Rep == known.value.rep; {
	case !same && !usable(entry): // what is known has been checked
		s.stats.Skipped++
	case entry.Rep == nil:
		s.stale(Subject{Environment: entry.ID}, entry.Version)
	case same, known.is(entry.Rep.Version):
		s.unchanged(known, emit)
	default:
		s.upsert(known, entry, emit)
	}
}

// repeat applies the environments that a put lists as they are known.
func (s *State) repeat(ctx context.Context, list decode.Unchanged, emit func(Change)) error {
	n := 0
	for rep := range list.All {
		if n++; stopped(ctx, n) {
			return context.Cause(ctx)
		}
		slot := s.environments.mark(rep.EnvID)
		if slot == nil {
			continue
		}
		entry := decode.EnvironmentEntry{ID: rep.EnvID, Version: rep.Version, Rep: rep}
		s.listed(slot, &entry, emit)
	}
	return nil
}

// upsert applies a usable entry of a patch or put that has a Rep, whose version counts.
func (s *State) upsert(known *environmentSlot, entry *decode.EnvironmentEntry, emit func(Change)) {
	old, outcome := s.environments.upsert(known, entry.Rep.Version, environment{rep: entry.Rep})
	if outcome == Stale {
		s.stale(Subject{Environment: entry.ID}, entry.Rep.Version)
		return
	}
	c := Change{Kind: EnvironmentAdded, Old: old.rep, New: entry.Rep}
	if outcome == Updated {
		c.Kind = EnvironmentUpdated
	}
	if old.keys != nil || mayExpire(entry.Rep) {
		known.value, c.several = s.revise(old, entry.Rep)
		c.New = known.value.rep
	}
	s.stats.Applied++
	s.replaced(c.Old, c.New)
	emit(c)
}

// unchanged handles an environment that a put lists at its known version. Nothing changes, unless the clock was
// set back and has yet to reach the expiry of a key that was dropped.
func (s *State) unchanged(known *environmentSlot, emit func(Change)) {
	old := known.value
	if old.keys == nil || old.keys.dropped == 0 || old.keys.dropped <= s.clock() {
		s.stats.Unchanged++
		return
	}
	known.value.rep = s.prune(old.keys, s.clock())
	s.stats.Applied++
	s.replaced(old.rep, known.value.rep)
	emit(Change{Kind: EnvironmentUpdated, Old: old.rep, New: known.value.rep, several: true})
}

// environmentDeleted emits the deletion of an environment. c says how it was deleted.
func (s *State) environmentDeleted(old environment, c Change, emit func(Change)) {
	if old.keys != nil {
		s.schedule.remove(old.keys)
	}
	s.stats.Applied++
	s.replaced(old.rep, nil)
	c.Kind, c.Old = EnvironmentDeleted, old.rep
	emit(c)
}

// replaced updates the index of keys, if there is one. Either of the environments may be nil.
func (s *State) replaced(before, after *decode.EnvironmentRep) {
	if s.index != nil {
		s.index.update(before, after)
	}
}
