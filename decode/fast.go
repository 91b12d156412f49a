package decode

import "bytes"

// The fast path reads messages in the form in which the service's encoder writes them: compact, and without null. Its
// functions report false for any other form, which the general path then reads.

// The tokens around the items of messages. They are never modified.
var (
	pathName         = tokenOf(`{"path":"/`)
	environmentsName = tokenOf(`environments/`)
	dataName         = tokenOf(`,"data":`)
	versionName      = tokenOf(`,"version":`)
)

// fastPatch reads {"path":"/environments/ID","data":{…}} into entry.
func (d *decoder) fastPatch(data []byte, entry *EnvironmentEntry) bool {
	id, pos := environmentPath(data)
	pos = dataName.read(data, pos)
	if pos == failed {
		return false
	}
	known := d.known(id)
	pos = char(data, d.env.read(data, pos, d.base(known)), '}')
	if pos != len(data) {
		return false
	}
	d.entry(entry, PatchEvent, id, known)
	return true
}

// fastDelete reads {"path":"/environments/ID","version":N} into entry.
func (d *decoder) fastDelete(data []byte, entry *EnvironmentEntry) bool {
	id, pos := environmentPath(data)
	version, pos := narrow(integer(data, versionName.read(data, pos)))
	if char(data, pos, '}') != len(data) {
		return false
	}
	entry.Version = version
	if known := d.known(id); known != nil {
		entry.ID = known.EnvID
	} else {
		entry.ID = EnvironmentID(id)
	}
	return true
}

// environmentPath reads {"path":"/environments/ID".
func environmentPath(data []byte) (id []byte, next int) {
	id, next = text(data, environmentsName.read(data, pathName.read(data, 0)))
	if len(id) == 0 || bytes.IndexByte(id, '/') >= 0 {
		return nil, failed
	}
	return id, next
}
