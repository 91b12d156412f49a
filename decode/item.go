package decode

// The shapes of patches and deletes. They are never modified.
var (
	patchShape       = structOf[PatchMessageData]("path", "data")
	patchFilterShape = structOf[PatchFilterMessageData]("path", "data")
	deleteShape      = structOf[DeleteMessageData]("path", "version")
)

// patch reads a patch. Unless its form is usual it reads the path first, which tells the type of the data.
func (d *decoder) patch(data []byte) (Message, error) {
	if entry, ok := d.fastPatch(data); ok {
		return environmentMessage(Patch, entry)
	}
	path, err := d.path(data, &patchShape)
	if err != nil {
		return Message{}, malformed(PatchEvent, err)
	}
	if id, ok := itemID(path, filtersPath); ok {
		return filterMessage(Patch, d.patchedFilter(data, FilterID(id)))
	}
	id, ok := itemID(path, environmentsPath)
	if !ok {
		return Message{Err: ignored(PatchEvent, path, ErrUnknownPath)}, nil
	}
	d.unusual = 1
	entry, err := d.patchedEnvironment(data, []byte(id))
	if err != nil {
		return Message{}, malformed(PatchEvent, err)
	}
	return environmentMessage(Patch, entry)
}

// delete reads a delete.
func (d *decoder) delete(data []byte) (Message, error) {
	if entry, ok := d.fastDelete(data); ok {
		return environmentMessage(Delete, entry)
	}
	path, err := d.path(data, &deleteShape)
	if err != nil {
		return Message{}, malformed(DeleteEvent, err)
	}
	version, err := d.deletedVersion(data)
	if id, ok := itemID(path, filtersPath); ok {
		entry := FilterEntry{ID: FilterID(id), Version: version}
		if err != nil {
			entry = filterEntry(DeleteEvent, entry.ID, nil, err)
		}
		return filterMessage(Delete, entry)
	}
	id, ok := itemID(path, environmentsPath)
	if !ok {
		return Message{Err: ignored(DeleteEvent, path, ErrUnknownPath)}, nil
	}
	d.unusual = 1
	if err != nil {
		return Message{}, malformed(DeleteEvent, err)
	}
	return environmentMessage(Delete, EnvironmentEntry{ID: EnvironmentID(id), Version: version})
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

// patchedEnvironment reads the environment of a patch.
func (d *decoder) patchedEnvironment(data, id []byte) (EnvironmentEntry, error) {
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
		return EnvironmentEntry{}, err
	}
	entry := d.entry(PatchEvent, id, known)
	if entry.Err == errNegativeVersion {
		return EnvironmentEntry{}, entry.Err
	}
	return entry, nil
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

// environmentMessage returns the message with the entry. It is an error if the entry is refused, and an ignored
// message if the entry has another error.
func environmentMessage(kind Kind, entry EnvironmentEntry) (Message, error) {
	if entry.Err == nil {
		return Message{Kind: kind, Environment: entry}, nil
	}
	if refused, ok := entry.Err.(*RefusedError); ok {
		return Message{}, refused
	}
	return Message{Err: entry.Err}, nil
}

// filterMessage returns the message with the entry, an ignored one if the entry has an error.
func filterMessage(kind Kind, entry FilterEntry) (Message, error) {
	if entry.Err != nil {
		return Message{Err: entry.Err}, nil
	}
	return Message{Kind: kind, Filter: entry}, nil
}
