package decode

import "bytes"

// The fast path reads messages in the form in which the service's encoder writes them: compact, with plain strings
// and integers. Its functions report false for any other form, which the general path then reads.

// The tokens around the items of messages. They are never modified.
var (
	pathName         = tokenOf(`{"path":"/`)
	environmentsName = tokenOf(`environments/`)
	dataName         = tokenOf(`,"data":`)
	versionName      = tokenOf(`,"version":`)
)

// fastPatch reads {"path":"/environments/ID","data":{…}}.
func (d *decoder) fastPatch(data []byte) (EnvironmentEntry, bool) {
	id, pos := environmentPath(data)
	pos = dataName.read(data, pos)
	if pos == failed {
		return EnvironmentEntry{}, false
	}
	known := d.known(id)
	pos = char(data, d.env.read(data, pos, d.base(known)), '}')
	if pos != len(data) {
		return EnvironmentEntry{}, false
	}
	return d.entry(PatchEvent, id, known), true
}

// fastDelete reads {"path":"/environments/ID","version":N}.
func (d *decoder) fastDelete(data []byte) (EnvironmentEntry, bool) {
	id, pos := environmentPath(data)
	version, pos := narrow(integer(data, versionName.read(data, pos)))
	if char(data, pos, '}') != len(data) {
		return EnvironmentEntry{}, false
	}
	if known := d.known(id); known != nil {
		return EnvironmentEntry{ID: known.EnvID, Version: version}, true
	}
	return EnvironmentEntry{ID: EnvironmentID(id), Version: version}, true
}

// environmentPath reads {"path":"/environments/ID".
func environmentPath(data []byte) (id []byte, next int) {
	id, next = text(data, environmentsName.read(data, pathName.read(data, 0)))
	if len(id) == 0 || bytes.IndexByte(id, '/') >= 0 {
		return nil, failed
	}
	return id, next
}
