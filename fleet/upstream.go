package fleet

import (
	"slices"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// messages returns what a change of the source means for the state. Until the first Synced that is a Put: what the
// source does not mention is gone.
func (t *term) messages(c *diff.Change) []decode.Message {
	if t.first == nil {
		return t.later(c)
	}
	if c.Kind == diff.Synced && !c.Cached {
		put := decode.Message{Kind: decode.Put, Put: t.first}
		t.first = nil
		if c.Partial {
			t.keep(put.Put)
		}
		return []decode.Message{put}
	}
	switch l := t.first; {
	case c.New != nil:
		l.Environments = append(l.Environments, environment(c.New)) // of two with one ID, the later one counts
	case c.NewFilter != nil:
		l.Filters = append(l.Filters, filter(c.NewFilter))
	case c.Old != nil:
		l.Environments = slices.DeleteFunc(l.Environments, func(e decode.EnvironmentEntry) bool { return e.ID == c.Old.EnvID })
	case c.OldFilter != nil:
		l.Filters = slices.DeleteFunc(l.Filters, func(e decode.FilterEntry) bool { return e.ID == c.OldFilter.ID })
	}
	return nil
}

// keep adds to a listing what the state has and it lacks: the service may have listed that, in a form that can't be
// used. What the source has still not mentioned when it has listed everything is gone.
func (t *term) keep(l *decode.Listing) {
	t.kept = make(map[diff.Subject]bool)
	for _, c := range t.state.Snapshot() {
		if c.Kind != diff.Synced {
			t.kept[c.Subject()] = true
		}
	}
	for i := range l.Environments {
		delete(t.kept, diff.Subject{Environment: l.Environments[i].ID})
	}
	for i := range l.Filters {
		delete(t.kept, diff.Subject{Filter: l.Filters[i].ID})
	}
	for _, c := range t.state.Snapshot() {
		switch {
		case !t.kept[c.Subject()]:
		case c.New != nil:
			l.Environments = append(l.Environments, environment(c.New))
		default:
			l.Filters = append(l.Filters, filter(c.NewFilter))
		}
	}
}

func environment(e *decode.EnvironmentRep) decode.EnvironmentEntry {
	return decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: e}
}

func filter(f *diff.Filter) decode.FilterEntry {
	return decode.FilterEntry{ID: f.ID, Version: f.Version, Rep: &f.FilterRep}
}

// later returns the messages for a change after the first Synced.
func (t *term) later(c *diff.Change) []decode.Message {
	m := decode.Message{Kind: decode.Patch}
	from, to := -1, -1 // versions; the source may omit an item and add it again within one change
	switch {
	case c.Kind == diff.Synced:
		return t.complete(c.Partial)
	case c.Kind == diff.KeyExpired:
		return nil
	case c.New != nil:
		m.Environment, to = environment(c.New), c.New.Version
	case c.NewFilter != nil:
		m.Filter, to = filter(c.NewFilter), c.NewFilter.Version
	}
	subject := c.Subject()
	delete(t.kept, subject)
	omit := omission(subject)
	switch {
	case c.Old != nil:
		from = c.Old.Version
	case c.OldFilter != nil:
		from = c.OldFilter.Version
	}
	_, live := t.lives[subject]
	switch {
	case to < 0 && c.Omitted:
		return []decode.Message{omit}
	case to < 0:
		omit.Kind = decode.Delete
		omit.Environment.Version, omit.Filter.Version = c.Version, c.Version
		return []decode.Message{omit}
	case to == from: // the same item, seen with another clock
		return nil
	case to < from, from < 0 && !live: // the source has forgotten the version, if there was one
		return []decode.Message{omit, m}
	}
	return []decode.Message{m}
}

// complete returns the messages for a later Synced.
func (t *term) complete(partial bool) (all []decode.Message) {
	if !partial {
		for subject := range t.kept {
			all = append(all, omission(subject))
		}
		t.kept = nil
	}
	return append(all, decode.Message{Kind: decode.Complete})
}

func omission(s diff.Subject) decode.Message {
	return decode.Message{
		Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: s.Environment}, Filter: decode.FilterEntry{ID: s.Filter},
	}
}
