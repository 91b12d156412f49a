package decode

import (
	"io"
	"slices"
)

// The shapes of a put. They are never modified.
var (
	putShape          = structOf[PutMessageData]("path", "data")
	contentShape      = structOf[PutContent]("environments", "filters")
	environmentsShape = mapOf[map[EnvironmentID]EnvironmentRep]()
	filtersShape      = mapOf[map[FilterID]FilterRep]()
)

// put reads a put, the whole of it from data, or from source while it arrives. The error is errIncomplete if source
// fails.
func (d *decoder) put(data []byte, source io.Reader) (Message, error) {
	r := d.reader(data)
	r.source = source
	var path string
	var c content
	r.each(&putShape, func() {
		switch r.wholeMember() {
		case 0:
			r.whole(func() { readString(r, &path) })
		case 1:
			d.content(r, &c)
		default:
			r.whole(r.skip)
		}
	})
	err := r.finish()
	if !r.drain() {
		return Message{}, errIncomplete
	}
	if err != nil {
		return Message{}, malformed(PutEvent, err)
	}
	if path != "/" {
		return Message{Err: ignored(PutEvent, path, ErrPutPath)}, nil
	}
	if err := c.check(d.held); err != nil {
		return Message{}, malformed(PutEvent, err)
	}
	return c.message()
}

// A content is the data of a put. If a member occurs several times, each occurrence adds to those before it, and null
// removes them. Null in place of the data removes all of it. Package encoding/json would leave the struct as it is; this
// is the safe side, because a put without environments is malformed if it would delete something.
type content struct {
	environments []EnvironmentEntry // nil if there is no such object
	unchanged    Unchanged          // the environments that are listed as they are known
	changes      []change           // the other environments that are known
	listed       int                // how many environments there are, duplicates included
	filters      []FilterEntry      // nil if there is no such object
	filtersErr   error
	err          error // the first mistake
}

// check returns why the put is malformed, or nil. It removes entries that are superseded. held is Options.Held.
func (c *content) check(held func() (environments, filters int)) error {
	if c.err != nil {
		return c.err
	}
	if c.environments == nil {
		if environments, filters := held(); environments > 0 || filters > 0 && c.filters == nil && c.filtersErr == nil {
			return errNoContent
		}
		c.environments = []EnvironmentEntry{}
	}
	c.separate()
	c.environments, c.filters = lastOfEach(c.environments), lastOfEach(c.filters)
	if slices.ContainsFunc(c.environments, func(e EnvironmentEntry) bool { return e.Err == errNegativeVersion }) {
		return errNegativeVersion
	}
	return nil
}

// message returns the content as a message, with the error of the first refused environment.
func (c *content) message() (Message, error) {
	m := Message{Kind: Put, Put: &Listing{
		Environments: c.environments, Unchanged: c.unchanged, Filters: c.filters, FiltersErr: c.filtersErr,
	}}
	for i := range c.environments {
		if refused, ok := c.environments[i].Err.(*RefusedError); ok {
			return m, refused
		}
	}
	return m, nil
}

// content reads the data of a put. It keeps mistakes apart, because they do not matter if the path turns out to
// be wrong.
func (d *decoder) content(r *reader, c *content) {
	if r.wholeNull() {
		*c = content{err: c.err}
		return
	}
	err := r.isolate(func() {
		r.each(&contentShape, func() {
			switch r.wholeMember() {
			case 0:
				d.environments(r, c)
			case 1:
				d.filters(r, c)
			default:
				r.whole(r.skip)
			}
		})
	})
	if c.err == nil {
		c.err = err
	}
}

// environments reads the environments of a put.
func (d *decoder) environments(r *reader, c *content) {
	if r.wholeNull() {
		c.environments, c.unchanged, c.changes, c.listed = nil, nil, nil, 0
		return
	}
	if c.environments == nil {
		c.environments = []EnvironmentEntry{}
	}
	r.each(&environmentsShape, func() {
		if r.tooMany(c.listed + 1) {
			r.whole(func() {
				r.name()
				r.skip()
			})
			return
		}
		d.environment(r, c)
	})
}

// environment reads an environment of a put: fast, or in general if its form is unusual.
func (d *decoder) environment(r *reader, c *content) {
	var id []byte
	var known *EnvironmentRep
	var next int
	r.whole(func() {
		id = r.name()
		known = d.known(id)
		r.peek()
		if next = d.env.read(r.data, r.pos, d.base(known)); next != failed {
			r.spend(next - r.pos)
			r.pos = next
			return
		}
		d.env.beginGeneral(r.data, d.base(known))
		d.env.readGeneral(r)
	})
	if next == failed {
		d.unusual++
	}
	c.add(d.entry(PutEvent, id, known), known)
}

// add adds the entry of an environment. known is the environment that the receiver holds, or nil.
func (c *content) add(entry EnvironmentEntry, known *EnvironmentRep) {
	switch {
	case known == nil:
	case entry.Rep == known:
		c.unchanged.add(known)
		c.listed++
		return
	default:
		c.changes = append(c.changes, change{entry.ID, c.listed - len(c.environments)})
	}
	if n := len(c.environments); n == cap(c.environments) {
		c.environments = slices.Grow(c.environments, max(n, 64)) // append alone would copy five times as much
	}
	c.environments = append(c.environments, entry)
	c.listed++
}

// A change is an entry for an environment that is known, but not listed as it is known.
type change struct {
	id    EnvironmentID
	after int // how many unchanged environments came before it
}

// separate removes what a later duplicate supersedes, if one of the two is unchanged and the other is a change.
func (c *content) separate() {
	if len(c.changes) == 0 || len(c.unchanged) == 0 {
		return
	}
	after := make(map[EnvironmentID]int, len(c.changes)) // of the last change of each
	for _, change := range c.changes {
		after[change.id] = change.after
	}
	n, kept, superseded := 0, Unchanged(nil), map[EnvironmentID]bool{}
	for rep := range c.unchanged.All {
		before, changed := after[rep.EnvID]
		if n++; changed && n <= before {
			continue
		}
		kept.add(rep)
		if changed {
			superseded[rep.EnvID] = true
		}
	}
	c.unchanged = kept
	c.environments = slices.DeleteFunc(c.environments, func(e EnvironmentEntry) bool { return superseded[e.ID] })
}

// filters reads the filters of a put. It keeps mistakes apart, because they must not affect the environments.
func (d *decoder) filters(r *reader, c *content) {
	if r.wholeNull() {
		c.filters, c.filtersErr = nil, nil
		return
	}
	if c.filters == nil {
		c.filters = []FilterEntry{}
	}
	err := r.isolate(func() {
		r.each(&filtersShape, func() {
			if r.tooMany(len(c.filters) + 1) {
				r.whole(func() {
					r.name()
					r.skip()
				})
				return
			}
			var entry FilterEntry
			r.whole(func() { entry = listedFilter(r, r.name()) })
			c.filters = append(c.filters, entry)
		})
	})
	if err == ErrTooMany {
		c.filters = nil
	}
	if err != nil {
		c.filtersErr = ignored(PutEvent, filtersPath, malformed(PutEvent, err))
	}
}

// listedFilter reads a filter of a put.
func listedFilter(r *reader, id []byte) FilterEntry {
	var rep *FilterRep
	err := r.isolate(func() { rep = readFilter(r, nil) })
	return filterEntry(PutEvent, FilterID(id), rep, err)
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
