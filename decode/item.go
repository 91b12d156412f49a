package decode

// The shapes of patches and deletes. They are never modified.
var (
	patchShape       = structOf[PatchMessageData]("path", "data")
	patchFilterShape = structOf[PatchFilterMessageData]("path", "data")
	deleteShape      = structOf[DeleteMessageData]("path", "version")
)

// patch reads a patch. Unless its form is usual it reads the path first, which tells the type of the data.
func (d *decoder) patch(data []byte, m *Message) error {
	if d.fastPatch(data, &m.Environment) {
		return m.about(Patch)
	}
	path, err := d.path(data, &patchShape)
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
	d.unusual = 1
	if err := d.patchedEnvironment(data, []byte(id), &m.Environment); err != nil {
		*m = Message{}
		return malformed(PatchEvent, err)
	}
	return m.about(Patch)
}

// delete reads a delete.
func (d *decoder) delete(data []byte, m *Message) error {
	if d.fastDelete(data, &m.Environment) {
		return m.about(Delete)
	}
	path, err := d.path(data, &deleteShape)
	if err != nil {
		return malformed(DeleteEvent, err)
	}
	version, err := d.deletedVersion(data)
	if id, ok := itemID(path, filtersPath); ok {
		m.Filter = FilterEntry{ID: FilterID(id), Version: version}
		if err != nil {
			m.Filter = filterEntry(DeleteEvent, m.Filter.ID, nil, err)
		}
		return m.about(Delete)
	}
	id, ok := itemID(path, environmentsPath)
	if !ok {
		m.Err = ignored(DeleteEvent, path, ErrUnknownPath)
		return nil
	}
	d.unusual = 1
	if err != nil {
		return malformed(DeleteEvent, err)
	}
	m.Environment = EnvironmentEntry{ID: EnvironmentID(id), Version: version}
	return m.about(Delete)
}

// path reads the path of a patch or delete, and checks the syntax of the rest.
func (d *decoder) path(data []byte, shape *shape) (path string, _ error) {
	r := d.reader(data)
	for more := r.begin(shape); more; more = r.next() {
		if r.member() == 0 {
			readString(r, &path)
		} else {
			r.skip()
		}
	}
	return path, r.finish()
}

// patchedEnvironment reads the environment of a patch into entry.
func (d *decoder) patchedEnvironment(data, id []byte, entry *EnvironmentEntry) error {
	r := d.reader(data)
	known := d.known(id)
	d.env.beginGeneral(data, d.base(known))
	for more := r.begin(&patchShape); more; more = r.next() {
		if r.member() == 1 {
			d.env.readGeneral(r)
		} else {
			r.skip()
		}
	}
	if err := r.finish(); err != nil {
		return err
	}
	d.entry(entry, PatchEvent, id, known)
	if entry.Err == errNegativeVersion {
		return entry.Err
	}
	return nil
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

// deletedVersion reads the version of a delete.
func (d *decoder) deletedVersion(data []byte) (version int, _ error) {
	r := d.reader(data)
	for more := r.begin(&deleteShape); more; more = r.next() {
		if r.member() == 1 {
			readInteger(r, &version)
		} else {
			r.skip()
		}
	}
	if err := r.finish(); err != nil {
		return 0, err
	}
	if version < 0 {
		return 0, errNegativeVersion
	}
	return version, nil
}

// about makes m a message of the kind about its environment or its filter. It is an error if that is refused, and an
// ignored message if that has another error.
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
	m.Err = err
	return nil
}
