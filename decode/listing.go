package decode

import "slices"

// A content is the data of a put. If a member occurs several times, each occurrence adds to those before it, and null
// removes them. Null in place of the data removes all of it. Package encoding/json would leave the struct as it is; this
// is the safe side, because a put without environments is malformed if it would delete something.
type content struct {
	environments [][]*EnvironmentRep  // those not in unchanged, in chunks: the Rep of each entry; nil if there is no such object
	others       [][]EnvironmentEntry // the entries without a Rep, in chunks
	unchanged    Unchanged            // the environments that are listed as they are known
	repeated     int                  // how many these are
	listed       int                  // how many environments there are, duplicates included
	changes      []change             // those that are known, and are listed otherwise
	filters      []FilterEntry        // nil if there is no such object
	filtersErr   error
	err          error // the first mistake
}

// listing returns the content without entries that are superseded, or why the put is malformed. held is Options.Held.
func (c *content) listing(held func() (environments, filters int)) (*Listing, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.environments == nil {
		if environments, filters := held(); environments > 0 || filters > 0 && c.filters == nil && c.filtersErr == nil {
			return nil, errNoContent
		}
	}
	l := &Listing{Environments: c.entries(), Unchanged: c.unchanged, FiltersErr: c.filtersErr}
	c.separate(l)
	l.Filters = lastOfEach(c.filters)
	if len(c.others) > 0 { // only these can have an Err
		l.Environments = lastOfEach(l.Environments)
		if slices.ContainsFunc(l.Environments, func(e EnvironmentEntry) bool { return e.Err == errNegativeVersion }) {
			return nil, errNegativeVersion
		}
	}
	return l, nil
}

// refused returns the error of the first refused environment, or nil.
func (l *Listing) refused() error {
	for i := range l.Environments {
		if refused, ok := l.Environments[i].Err.(*RefusedError); ok {
			return refused
		}
	}
	return nil
}

// add adds the entry of an environment. known is the environment that the receiver holds, or nil.
func (c *content) add(entry *EnvironmentEntry, known *EnvironmentRep) {
	c.listed++
	if known != nil && entry.Rep == known {
		c.unchanged = appendTo(c.unchanged, known)
		c.repeated++
		return
	}
	if known != nil {
		c.changes = append(c.changes, change{entry.ID, c.repeated})
	}
	c.environments = appendTo(c.environments, entry.Rep)
	if entry.Rep == nil {
		c.others = appendTo(c.others, *entry)
	}
}

// entries returns the entries of environments. They are made when their number is known: a slice of entries that
// grows, or is put together from chunks, takes several times as much memory.
func (c *content) entries() []EnvironmentEntry {
	entries := make([]EnvironmentEntry, 0, c.listed-c.repeated)
	for rep := range Unchanged(c.environments).All {
		var entry EnvironmentEntry
		if rep != nil {
			entry = EnvironmentEntry{ID: rep.EnvID, Version: rep.Version, Rep: rep}
		}
		entries = append(entries, entry)
	}
	i := 0
	for _, chunk := range c.others {
		for _, other := range chunk {
			for entries[i].Rep != nil {
				i++
			}
			entries[i] = other
			i++
		}
	}
	return entries
}

// A change is an entry for an environment that is known, but not listed as it is known.
type change struct {
	id    EnvironmentID
	after int // how many unchanged environments came before it
}

// separate removes what a later duplicate supersedes, if one of the two is unchanged and the other is a change.
func (c *content) separate(l *Listing) {
	if len(c.changes) == 0 || c.repeated == 0 {
		return
	}
	after := make(map[EnvironmentID]int, len(c.changes)) // of the last change of each
	for _, change := range c.changes {
		after[change.id] = change.after
	}
	n, kept, superseded := 0, Unchanged(nil), map[EnvironmentID]bool{}
	for rep := range l.Unchanged.All {
		before, changed := after[rep.EnvID]
		if n++; changed && n <= before {
			continue
		}
		kept = appendTo(kept, rep)
		if changed {
			superseded[rep.EnvID] = true
		}
	}
	l.Unchanged = kept
	l.Environments = slices.DeleteFunc(l.Environments, func(e EnvironmentEntry) bool { return superseded[e.ID] })
}

// lastOfEach removes the entries that a later entry with the same ID supersedes, so that no error is reported
// for them. If no entry has an error it returns all: applied in order, the last of each ID counts.
func lastOfEach[ID EnvironmentID | FilterID, Rep any](entries []Entry[ID, Rep]) []Entry[ID, Rep] {
	if !slices.ContainsFunc(entries, func(e Entry[ID, Rep]) bool { return e.Err != nil }) {
		return entries
	}
	first, seen := len(entries), make(map[ID]bool, len(entries))
	for _, e := range slices.Backward(entries) {
		if !seen[e.ID] {
			seen[e.ID] = true
			first--
			entries[first] = e
		}
	}
	return entries[first:]
}
