package decode

import (
	"bytes"
	"encoding/json"
)

// The fast path: messages in the form in which the service's encoder writes them, compact, with
// plain strings and integers. Each function reports false for anything else, which the strict path
// then decides; it is always safe to say false.

// What stands around the items of messages. None of it is ever written to.
var (
	pathName         = tokenOf(`{"path":"/`)
	environmentsName = tokenOf(`environments/`)
	dataName         = tokenOf(`,"data":`)
	versionName      = tokenOf(`,"version":`)

	putName     = tokenOf(`{"path":"/"`)
	contentName = tokenOf(`,"data":{`)
	listName    = tokenOf(`"environments":`)
	filtersName = tokenOf(`"filters":`)
)

// fastPatch reads {"path":"/environments/ID","data":{…}}.
func (d *decoder) fastPatch(data []byte) (EnvironmentEntry, bool) {
	id, pos := environmentPath(data)
	pos = dataName.read(data, pos)
	if pos == failed {
		return EnvironmentEntry{}, false
	}
	known := d.known(id)
	pos = char(data, d.env.read(data, pos, d.like(known)), '}')
	if pos != len(data) {
		return EnvironmentEntry{}, false
	}
	return d.entry(id, known)
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

// fastPut reads {"path":"/","data":{"environments":{…},"filters":{…}}}, the two in any order and
// the filters optional. An environment in an unusual form costs only itself the fast path.
func (d *decoder) fastPut(data []byte) (*Listing, bool) {
	put := new(Listing)
	filters := filterList{max: d.maxListed}
	seenFilters := false
	pos := contentName.read(data, putName.read(data, 0))
	for more := true; more; pos, more = another(data, pos) {
		if next := char(data, listName.read(data, pos), '{'); next != failed && put.Environments == nil {
			put.Environments, pos = d.environments(data, next)
		} else if next := filtersName.read(data, pos); next != failed && !seenFilters {
			var raw []byte
			seenFilters = true
			if raw, pos = object(data, next); json.Unmarshal(raw, &filters) != nil {
				return nil, false
			}
		} else {
			return nil, false
		}
	}
	put.Environments = thatCount(put.Environments)
	put.Filters, put.FiltersErr = thatCount(filters.entries), filters.err
	return put, char(data, char(data, pos, '}'), '}') == len(data) && put.Environments != nil
}

// environments reads the members of the environments' object, and its end.
func (d *decoder) environments(data []byte, pos int) (list []EnvironmentEntry, next int) {
	// An environment has some 350 bytes. Without the guess, BenchmarkPut/all_known takes 14.1 ms instead of
	// 10.6, and three times the memory.
	list = make([]EnvironmentEntry, 0, min(len(data)/350, d.maxListed))
	if next := char(data, pos, '}'); next != failed {
		return list, next
	}
	for more := true; more; pos, more = another(data, pos) {
		var id []byte
		id, pos = text(data, char(data, pos, '"'))
		var entry EnvironmentEntry
		if entry, pos = d.listed(data, char(data, pos, ':'), id); pos == failed || len(list) == d.maxListed {
			return nil, failed // too many are for the strict path, too: it may find that all is malformed
		}
		list = append(list, entry)
	}
	return list, char(data, pos, '}')
}

// listed reads one environment of a put, with encoding/json if its form is unusual.
func (d *decoder) listed(data []byte, pos int, id []byte) (_ EnvironmentEntry, next int) {
	known := d.known(id)
	if next = d.env.read(data, pos, d.like(known)); next != failed {
		if entry, ok := d.entry(id, known); ok {
			return entry, next
		}
	}
	d.unusual++
	raw, next := object(data, pos)
	rep := new(EnvironmentRep)
	if json.Unmarshal(raw, rep) != nil {
		return EnvironmentEntry{}, failed
	}
	entry := environmentEntry(PutEvent, EnvironmentID(id), rep)
	if entry.Err == errNegativeVersion {
		return EnvironmentEntry{}, failed
	}
	return d.unlessOutdated(entry), next
}

// like returns the environment that the next one is expected to resemble: known, or its neighbour.
func (d *decoder) like(known *EnvironmentRep) *EnvironmentRep {
	if known != nil {
		return known
	}
	return &d.last
}

// entry makes the entry for the environment just read, listed or patched under id, of which known is what
// the receiver holds. What must not be used is left to the strict path to describe.
func (d *decoder) entry(id []byte, known *EnvironmentRep) (EnvironmentEntry, bool) {
	if len(id) == 0 || !d.env.is(id) {
		return EnvironmentEntry{}, false
	}
	if known != nil && d.env.version <= known.Version {
		return outdated(known, d.env.version), true
	}
	rep := d.env.rep()
	if rep.check() != nil {
		return EnvironmentEntry{}, false
	}
	if known == nil {
		d.last = EnvironmentRep{EnvKey: rep.EnvKey, EnvName: rep.EnvName, ProjKey: rep.ProjKey, ProjName: rep.ProjName}
	}
	return EnvironmentEntry{ID: rep.EnvID, Version: rep.Version, Rep: rep}, true
}

// outdated is the entry of a version that is not newer than what is known.
func outdated(known *EnvironmentRep, version int) EnvironmentEntry {
	if version == known.Version {
		return EnvironmentEntry{ID: known.EnvID, Version: version, Rep: known}
	}
	return EnvironmentEntry{ID: known.EnvID, Version: version}
}

// unlessOutdated returns what entry does for entries that the strict path made: whether a refused
// one matters depends on its version.
func (d *decoder) unlessOutdated(entry EnvironmentEntry) EnvironmentEntry {
	if _, refused := entry.Err.(*RefusedError); refused {
		if known := d.known([]byte(entry.ID)); known != nil && entry.Version <= known.Version {
			return outdated(known, entry.Version)
		}
	}
	return entry
}
