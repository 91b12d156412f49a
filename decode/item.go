package decode

// The shapes of patches and deletes. They are never modified.
var (
	patchShape       = structOf[PatchMessageData]("path", "data")
	patchFilterShape = structOf[PatchFilterMessageData]("path", "data")
	deleteShape      = structOf[DeleteMessageData]("path", "version")
)

// noEnvironment is a base. It is never modified.
var noEnvironment EnvironmentRep

// patch reads a patch.
func (d *decoder) patch(data []byte, m *Message) error {
	if d.fastPatch(data, &m.Environment) {
		return m.about(Patch)
	}
	d.env.begin(data, &noEnvironment)
	path, mistake, err := d.generalItem(data, &patchShape, d.env.readAny)
	if err != nil {
		return malformed(PatchEvent, err)
	}
	if id, ok := itemID(path, filtersPath); ok {
		m.Filter = d.patchedFilter(data, FilterID(id))
		return m.about(Patch)
	}
	id, ok := itemID(path, environmentsPath)
	if !ok {
		m.Err = ignored(PatchEvent, path, ErrUnknownPath)
		return nil
	}
	if mistake != nil {
		return malformed(PatchEvent, mistake)
	}
	known := d.known([]byte(id))
	d.env.rebase(d.base(known))
	d.entry(&m.Environment, PatchEvent, []byte(id), known)
	return m.about(Patch)
}

// delete reads a delete.
func (d *decoder) delete(data []byte, m *Message) error {
	if d.fastDelete(data, &m.Environment) {
		return m.about(Delete)
	}
	var version int
	path, mistake, err := d.generalItem(data, &deleteShape, func(r *reader) { readInteger(r, &version) })
	if err != nil {
		return malformed(DeleteEvent, err)
	}
	if version < 0 && mistake == nil {
		mistake = errNegativeVersion
	}
	if id, ok := itemID(path, filtersPath); ok {
		m.Filter = FilterEntry{ID: FilterID(id), Version: version}
		if mistake != nil {
			m.Filter = filterEntry(DeleteEvent, m.Filter.ID, nil, mistake)
		}
		return m.about(Delete)
	}
	id, ok := itemID(path, environmentsPath)
	if !ok {
		m.Err = ignored(DeleteEvent, path, ErrUnknownPath)
		return nil
	}
	if mistake != nil {
		return malformed(DeleteEvent, mistake)
	}
	m.Environment = EnvironmentEntry{ID: EnvironmentID(id), Version: version}
	return m.about(Delete)
}

// generalItem reads a patch or a delete, and calls read for the member beside the path. The path may come last, and only
// it tells whether that member has the right type. So a mistake in the member is no error, but is returned beside it.
func (d *decoder) generalItem(data []byte, s *shape, read func(*reader)) (path string, mistake, err error) {
	r := d.reader(data)
	for more := r.begin(s); more; more = r.next() {
		switch r.member() {
		case 0:
			readString(r, &path)
		case 1:
			if m := r.isolate(func() { read(r) }); mistake == nil {
				mistake = m
			}
		default:
			r.skip()
		}
	}
	return path, mistake, r.finish()
}

// patchedFilter reads the filter of a patch. An error is in the entry.
func (d *decoder) patchedFilter(data []byte, id FilterID) FilterEntry {
	var rep *FilterRep
	r := d.reader(data)
	for more := r.begin(&patchFilterShape); more; more = r.next() {
		if r.member() == 1 {
			rep = readFilter(r, rep)
		} else {
			r.skip()
		}
	}
	return filterEntry(PatchEvent, id, rep, r.finish())
}

// about makes m a message of the kind about its environment or its filter. It is an error if that is refused, or is a patch
// with a negative version, and an ignored message if that has another error.
func (m *Message) about(kind Kind) error {
	m.Kind = kind
	err := m.Environment.Err
	if err == nil {
		err = m.Filter.Err
	}
	if err == nil {
		return nil
	}
	*m = Message{}
	if refused, ok := err.(*RefusedError); ok {
		return refused
	}
	if err == errNegativeVersion {
		return malformed(PatchEvent, err)
	}
	m.Err = err
	return nil
}
