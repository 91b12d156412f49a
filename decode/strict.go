package decode

import (
	"bytes"
	"encoding/json"
	"slices"
)

// The strict path: encoding/json for whatever the fast path does not recognise. It decides what is
// accepted, with which values; the fast path may only agree with it.

// strictPath reads the path alone, which tells how to read the rest.
func strictPath(data []byte) (string, error) {
	var m struct {
		Path string `json:"path"`
	}
	err := json.Unmarshal(data, &m)
	return m.Path, err
}

// strictPut reads the path, and if that is the one of a put what it lists, at once: data may be large.
func strictPut(data []byte, maxListed int) (path string, _ *Listing, _ error) {
	var m struct {
		Path string     `json:"path"`
		Data putContent `json:"data"`
	}
	m.Data.limit(maxListed)
	if err := json.Unmarshal(data, &m); err != nil || m.Path != "/" {
		return m.Path, nil, err
	}
	if m.Data.err != nil {
		return m.Path, nil, m.Data.err
	}
	if m.Data.Environments.entries == nil {
		return m.Path, nil, errNoContent
	}
	put := &Listing{
		Environments: thatCount(m.Data.Environments.entries),
		Filters:      thatCount(m.Data.Filters.entries),
		FiltersErr:   m.Data.Filters.err,
	}
	for i := range put.Environments {
		if err := put.Environments[i].Err; err == errNegativeVersion {
			return m.Path, nil, err
		}
	}
	return m.Path, put, nil
}

// strictEnvironment reads the environment of a patch.
func strictEnvironment(data []byte, id EnvironmentID) (EnvironmentEntry, error) {
	var m PatchMessageData
	if err := json.Unmarshal(data, &m); err != nil {
		return EnvironmentEntry{}, err
	}
	entry := environmentEntry(PatchEvent, id, &m.Data)
	if entry.Err == errNegativeVersion {
		return EnvironmentEntry{}, entry.Err
	}
	return entry, nil
}

// strictFilter reads the filter of a patch. Whatever is wrong with it is an entry that is ignored.
func strictFilter(data []byte, id FilterID) FilterEntry {
	var m struct {
		Data *FilterRep `json:"data"`
	}
	err := json.Unmarshal(data, &m)
	return filterEntry(PatchEvent, id, m.Data, err)
}

func strictVersion(data []byte) (int, error) {
	var m DeleteMessageData
	if err := json.Unmarshal(data, &m); err != nil {
		return 0, err
	}
	if m.Version < 0 {
		return 0, errNegativeVersion
	}
	return m.Version, nil
}

// environmentEntry makes the entry for rep, listed or patched under id. If its Err is errNegativeVersion, and
// the entry counts, the message is malformed.
func environmentEntry(event string, id EnvironmentID, rep *EnvironmentRep) EnvironmentEntry {
	entry := EnvironmentEntry{ID: id, Version: rep.Version}
	switch {
	case rep.Version < 0:
		entry.Err = errNegativeVersion
	case rep.EnvID != id || id == "":
		entry.Err = ignored(event, environmentsPath+string(id), ErrWrongID)
	default:
		entry.Err = rep.check()
	}
	if entry.Err == nil {
		entry.Rep = rep
	}
	return entry
}

// thatCount returns the entries without those that count for nothing, because another of the same ID
// follows, if any entry must not be used: it would be reported for nothing, then. If all are good, that is
// left to whoever applies them.
func thatCount[ID EnvironmentID | FilterID, Rep any](entries []Entry[ID, Rep]) []Entry[ID, Rep] {
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

// filterEntry makes the entry for rep, or the one that tells why there is none.
func filterEntry(event string, id FilterID, rep *FilterRep, err error) FilterEntry {
	switch {
	case err != nil:
	case rep == nil || id == "":
		err = errNoFilter
	case rep.Version < 0:
		err = errNegativeVersion
	default:
		return FilterEntry{ID: id, Version: rep.Version, Rep: rep}
	}
	return FilterEntry{ID: id, Err: ignored(event, filtersPath+string(id), malformed(event, err))}
}

// A putContent is the data of a put. Of several members data, each adds to those before it, and null takes all
// away.
type putContent struct {
	Environments environmentList `json:"environments"`
	Filters      filterList      `json:"filters"`
	err          error           // the first one, of use only under the path of a put
}

// limit makes c empty, with a limit to what may be listed.
func (c *putContent) limit(maxListed int) {
	c.Environments, c.Filters = environmentList{max: maxListed}, filterList{max: maxListed}
}

// UnmarshalJSON reads an object as encoding/json does, and never fails. By itself, that would forget the limit
// at a null.
func (c *putContent) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		c.limit(c.Environments.max)
		return nil
	}
	type content putContent // has no UnmarshalJSON
	if err := json.Unmarshal(data, (*content)(c)); err != nil && c.err == nil {
		c.err = part(err)
	}
	return nil
}

// An environmentList is the JSON object of environments, in the order of the wire, which a Go map
// would lose.
type environmentList struct {
	entries []EnvironmentEntry // nil if there was no object
	max     int
}

// UnmarshalJSON reads an object like encoding/json reads one into a map. A second object, which is
// a duplicated member, adds to the first; null takes all away.
func (l *environmentList) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		l.entries = nil
		return nil
	}
	if l.entries == nil {
		l.entries = []EnvironmentEntry{}
	}
	return part(members(data, func(id string, dec *json.Decoder) error {
		if len(l.entries) == l.max {
			return ErrTooMany
		}
		rep := new(EnvironmentRep)
		if err := dec.Decode(rep); err != nil {
			return err
		}
		l.entries = append(l.entries, environmentEntry(PutEvent, EnvironmentID(id), rep))
		return nil
	}))
}

// A filterList is the JSON object of filters, of which each is read by itself, so that a malformed
// one is its own problem.
type filterList struct {
	entries []FilterEntry
	err     error
	max     int
}

// UnmarshalJSON reads an object of filters and never fails. Null is the empty object.
func (l *filterList) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*l = filterList{max: l.max}
		return nil
	}
	err := members(data, func(id string, dec *json.Decoder) error {
		if len(l.entries) == l.max {
			l.entries = nil
			return ErrTooMany
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		var rep *FilterRep
		err := part(json.Unmarshal(raw, &rep))
		l.entries = append(l.entries, filterEntry(PutEvent, FilterID(id), rep, err))
		return nil
	})
	if err != nil {
		l.err = ignored(PutEvent, filtersPath, malformed(PutEvent, part(err)))
	}
	return nil
}

// members calls f for each member of the object in data, valid JSON, with a decoder that stands
// before its value, which f must read.
func members(data []byte, f func(name string, dec *json.Decoder) error) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	start, err := dec.Token()
	if err != nil {
		return err
	}
	if start != json.Delim('{') {
		// Reading it into a map gives the error that describes it.
		return json.Unmarshal(data, new(map[string]json.RawMessage))
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		if err := f(name.(string), dec); err != nil {
			return err
		}
	}
	return nil
}
