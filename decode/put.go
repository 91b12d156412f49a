package decode

import "io"

// The shapes of a put. They are never modified.
var (
	putShape          = structOf[PutMessageData]("path", "data")
	contentShape      = structOf[PutContent]("environments", "filters")
	environmentsShape = mapOf[map[EnvironmentID]EnvironmentRep]()
	filtersShape      = mapOf[map[FilterID]FilterRep]()
)

// put reads a put, the whole of it from data, or from source while it arrives. The error is errIncomplete if source
// fails.
func (d *decoder) put(data []byte, source io.Reader, m *Message) error {
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
		return errIncomplete
	}
	d.budget.check() // what was read since the last time may have been too little for it
	if err != nil {
		return malformed(PutEvent, err)
	}
	if path != "/" {
		m.Err = ignored(PutEvent, path, ErrPutPath)
		return nil
	}
	return d.list(&c, m)
}

// list makes m a put with the content c.
func (d *decoder) list(c *content, m *Message) error {
	listing, err := c.listing(d.held)
	if err != nil {
		return malformed(PutEvent, err)
	}
	m.Kind, m.Put = Put, listing
	return listing.refused()
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
		*c = content{filters: c.filters, filtersErr: c.filtersErr, err: c.err}
		return
	}
	if c.environments == nil {
		c.environments = [][]*EnvironmentRep{}
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

// environment reads an environment of a put.
func (d *decoder) environment(r *reader, c *content) {
	var id []byte
	var known *EnvironmentRep
	r.whole(func() {
		id = r.name()
		known = d.known(id)
		d.env.begin(r.data, d.base(known))
		d.env.readAny(r)
		d.env.finish()
	})
	var entry EnvironmentEntry
	d.entry(&entry, PutEvent, id, known)
	c.add(&entry, known)
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
