package decode

import "bytes"

// The fast path reads messages in a style that encoders are known to have, with the path first. Its functions report
// false for any other form, which the general path then reads. Inside an environment the general path reads only the
// members that the fast path can't.

// environmentsName comes between the first slash of a path and the ID. It is never modified.
var environmentsName = tokenOf(`environments/`)

// fastPatch reads {"path":"/environments/ID","data":{…}} into entry.
func (d *decoder) fastPatch(data []byte, entry *EnvironmentEntry) bool {
	id, style, pos := environmentPath(data)
	pos = char(data, style.data.read(data, pos), '{')
	if pos == failed || len(data) > checkEvery {
		return false // a long one must not be read twice if something is wrong at its end
	}
	known := d.known(id)
	d.env.begin(data, d.base(known))
	next, at := d.env.readUsual(pos)
	if at != atEnd {
		if next = d.restOfPatch(next, at); next == failed {
			return false
		}
	}
	if char(data, next, '}') != len(data) {
		return false
	}
	d.env.finish()
	d.entry(entry, PatchEvent, id, known)
	return true
}

// restOfPatch reads the rest of the environment of a patch. pos is where readUsual has stopped. It fails if there is a
// mistake, which the general path for patches then tells more about.
func (d *decoder) restOfPatch(pos int, at stop) (next int) {
	r := d.reader(d.env.data)
	r.pos = pos
	r.stack = append(r.stack, frame{shape: &patchShape}, frame{shape: &environmentShape})
	d.env.readOn(r, at)
	if r.err != nil || r.mistake != nil {
		return failed
	}
	return r.pos
}

// fastDelete reads {"path":"/environments/ID","version":N} into entry.
func (d *decoder) fastDelete(data []byte, entry *EnvironmentEntry) bool {
	id, style, pos := environmentPath(data)
	version, pos := narrow(integer(data, style.version.read(data, pos)))
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

// environmentPath reads {"path":"/environments/ID" in any style.
func environmentPath(data []byte) (id []byte, s *style, next int) {
	s = &compactStyle
	start := s.path.read(data, 0)
	if start == failed {
		s = &spacedStyle
		start = s.path.read(data, 0)
	}
	id, next = text(data, environmentsName.read(data, start))
	if len(id) == 0 || bytes.IndexByte(id, '/') >= 0 {
		next = failed
	}
	return id, s, next
}
