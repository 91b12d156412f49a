package decode

import "slices"

// The shapes of a put. They are never modified.
var (
	putShape          = structOf[PutMessageData]("path", "data")
	contentShape      = structOf[PutContent]("environments", "filters")
	environmentsShape = mapOf[map[EnvironmentID]EnvironmentRep]()
	filtersShape      = mapOf[map[FilterID]FilterRep]()
)

// put reads a put.
func (d *decoder) put(data []byte) (Message, error) {
	r := d.reader(data)
	var path string
	var c content
	for more := r.begin(&putShape); more; more = r.next() {
		switch r.member() {
		case 0:
			readString(r, &path)
		case 1:
			d.content(r, &c)
		default:
			r.skip()
		}
	}
	if err := r.finish(); err != nil {
		return Message{}, malformed(PutEvent, err)
	}
	if path != "/" {
		return Message{Err: ignored(PutEvent, path, ErrPutPath)}, nil
	}
	return d.message(&c)
}

// message returns the message of a put with the content c.
func (d *decoder) message(c *content) (Message, error) {
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
	c.environments, c.filters = lastOfEach(c.environments), lastOfEach(c.filters)
	if slices.ContainsFunc(c.environments, func(e EnvironmentEntry) bool { return e.Err == errNegativeVersion }) {
		return errNegativeVersion
	}
	return nil
}

// message returns the content as a message, with the error of the first refused environment.
func (c *content) message() (Message, error) {
	m := Message{Kind: Put, Put: &Listing{Environments: c.environments, Filters: c.filters, FiltersErr: c.filtersErr}}
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
	if r.null() {
		*c = content{err: c.err}
		return
	}
	err := r.isolate(func() {
		for more := r.begin(&contentShape); more; more = r.next() {
			switch r.member() {
			case 0:
				d.environments(r, c)
			case 1:
				d.filters(r, c)
			default:
				r.skip()
			}
		}
	})
	if c.err == nil {
		c.err = err
	}
}

// environments reads the environments of a put.
func (d *decoder) environments(r *reader, c *content) {
	if r.null() {
		c.environments = nil
		return
	}
	if c.environments == nil {
		// A guess of 350 bytes for each environment saves copying; see BenchmarkPut/all_known.
		c.environments = make([]EnvironmentEntry, 0, min((len(r.data)-r.pos)/350, r.maxListed))
	}
	for more := r.begin(&environmentsShape); more; more = r.next() {
		id := r.name()
		if r.tooMany(len(c.environments) + 1) {
			r.skip()
			continue
		}
		c.environments = append(c.environments, d.environment(r, id))
	}
}

// environment reads an environment of a put: fast, or in general if its form is unusual.
func (d *decoder) environment(r *reader, id []byte) EnvironmentEntry {
	known := d.known(id)
	r.peek()
	if next := d.env.read(r.data, r.pos, d.base(known)); next != failed {
		r.spend(next - r.pos)
		r.pos = next
	} else {
		d.unusual++
		d.env.beginGeneral(r.data, d.base(known))
		d.env.readGeneral(r)
	}
	return d.entry(PutEvent, id, known)
}

// filters reads the filters of a put. It keeps mistakes apart, because they must not affect the environments.
func (d *decoder) filters(r *reader, c *content) {
	if r.null() {
		c.filters, c.filtersErr = nil, nil
		return
	}
	if c.filters == nil {
		c.filters = []FilterEntry{}
	}
	err := r.isolate(func() {
		for more := r.begin(&filtersShape); more; more = r.next() {
			id := r.name()
			if r.tooMany(len(c.filters) + 1) {
				r.skip()
				continue
			}
			c.filters = append(c.filters, listedFilter(r, id))
		}
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
