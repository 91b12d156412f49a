package decode

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"unicode/utf8"
)

// The fast path: messages in the form in which the service's encoder writes them, compact, with
// plain strings and integers. Each function reports false for anything else, which the strict path
// then decides; it is always safe to say false.

const (
	patchPrefix = `{"path":"/environments/`
	putPrefix   = `{"path":"/","data":{`
)

// fastPatch reads {"path":"/environments/ID","data":{…}}.
func (d *decoder) fastPatch(data []byte) (EnvironmentEntry, bool) {
	c := cursor{data: data, ok: true}
	c.literal(patchPrefix)
	id := c.stringTail()
	c.literal(`,"data":`)
	if !c.ok || len(id) == 0 || bytes.IndexByte(id, '/') >= 0 {
		return EnvironmentEntry{}, false
	}
	known := d.known(id) // asked before it is needed: what it refers to is rarely in the processor's cache
	if !d.env.read(&c) {
		return EnvironmentEntry{}, false
	}
	c.literal(`}`)
	if !c.end() {
		return EnvironmentEntry{}, false
	}
	return d.entry(id, known)
}

// fastDelete reads {"path":"/environments/ID","version":N}.
func (d *decoder) fastDelete(data []byte) (EnvironmentEntry, bool) {
	c := cursor{data: data, ok: true}
	c.literal(patchPrefix)
	id := c.stringTail()
	c.literal(`,"version":`)
	version := c.integer()
	c.literal(`}`)
	if !c.end() || len(id) == 0 || bytes.IndexByte(id, '/') >= 0 {
		return EnvironmentEntry{}, false
	}
	if known := d.known(id); known != nil {
		return EnvironmentEntry{ID: known.EnvID, Version: version}, true
	}
	return EnvironmentEntry{ID: EnvironmentID(id), Version: version}, true
}

// fastPut reads {"path":"/","data":{"environments":{…},"filters":{…}}}, the two in any order and
// the filters optional. An environment in an unusual form costs only itself the fast path.
func (d *decoder) fastPut(data []byte) (*Listing, bool) {
	c := cursor{data: data, ok: true}
	c.literal(putPrefix)
	put := new(Listing)
	filters := filterList{max: d.maxListed}
	seenFilters := false
	for more := true; more && c.ok; more = c.optional(`,`) {
		switch {
		case put.Environments == nil && c.optional(`"environments":{`):
			put.Environments = d.environments(&c)
		case !seenFilters && c.optional(`"filters":`):
			seenFilters = true
			if json.Unmarshal(c.value(), &filters) != nil {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	c.literal(`}}`)
	put.Filters, put.FiltersErr = filters.entries, filters.err
	return put, c.end() && put.Environments != nil
}

// environments reads the members of the environments' object, and its end.
func (d *decoder) environments(c *cursor) []EnvironmentEntry {
	// An environment has some 350 bytes; the guess saves most of the copying that growing costs.
	list := make([]EnvironmentEntry, 0, min(len(c.data)/350, d.maxListed))
	if c.optional(`}`) {
		return list
	}
	for more := true; more && c.ok; more = c.optional(`,`) {
		c.literal(`"`)
		id := c.stringTail()
		c.literal(`:`)
		entry, ok := d.listed(c, id)
		if !ok || len(list) == d.maxListed {
			c.ok = false // too many are for the strict path, too: it may find that all is malformed
			break
		}
		list = append(list, entry)
	}
	c.literal(`}`)
	return list
}

// listed reads one environment of a put, with encoding/json if its form is unusual.
func (d *decoder) listed(c *cursor, id []byte) (EnvironmentEntry, bool) {
	if !c.ok {
		return EnvironmentEntry{}, false
	}
	start := c.pos
	known := d.known(id)
	if d.env.read(c) {
		if entry, ok := d.entry(id, known); ok {
			return entry, true
		}
	}
	c.pos, c.ok = start, true
	rep := new(EnvironmentRep)
	if json.Unmarshal(c.value(), rep) != nil {
		return EnvironmentEntry{}, false
	}
	entry, err := environmentEntry(PutEvent, EnvironmentID(id), rep)
	return d.unlessOutdated(entry), err == nil
}

// entry makes the entry for the environment just read, listed or patched under id, of which known is what
// the receiver holds. What must not be used is left to the strict path to describe.
func (d *decoder) entry(id []byte, known *EnvironmentRep) (EnvironmentEntry, bool) {
	raw := &d.env
	if len(id) == 0 || !bytes.Equal(id, raw.text[envID]) {
		return EnvironmentEntry{}, false
	}
	if known != nil && raw.version <= known.Version {
		return outdated(known, raw.version), true
	}
	if !raw.consistent() {
		return EnvironmentEntry{}, false
	}
	like := known
	if like == nil {
		like = &d.last
	}
	rep := raw.rep(like)
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

// A cursor reads JSON in its usual form from data. The first thing that is not as expected clears
// ok, and from then on nothing that it returns means anything; so callers check once, at the end.
type cursor struct {
	data []byte
	pos  int
	ok   bool
}

// end reports whether all went well and all was read.
func (c *cursor) end() bool { return c.ok && c.pos == len(c.data) }

// optional reads s if it is next, and reports that.
func (c *cursor) optional(s string) bool {
	if rest := c.data[c.pos:]; len(rest) >= len(s) && string(rest[:len(s)]) == s {
		c.pos += len(s)
		return true
	}
	return false
}

func (c *cursor) literal(s string) {
	if !c.optional(s) {
		c.ok = false
	}
}

// text reads a string, which must be plain, and returns its bytes.
func (c *cursor) text() []byte {
	c.literal(`"`)
	return c.stringTail()
}

// stringTail reads the rest of a plain string up to and with its closing quote.
func (c *cursor) stringTail() []byte {
	rest := c.data[c.pos:]
	n := plainASCII(rest)
	if n == len(rest) || rest[n] != '"' {
		if n = plainUTF8(rest, n); n < 0 {
			c.ok = false
			return nil
		}
	}
	c.pos += n + 1
	return rest[:n:n]
}

// integer reads an integer of at most 18 digits without a sign, which fits an int64. What follows
// is for the caller to check: a fraction or an exponent is not what it expects.
func (c *cursor) integer() int {
	n, start := 0, c.pos
	for ; c.pos < len(c.data) && c.pos-start <= 18; c.pos++ {
		digit := c.data[c.pos] - '0'
		if digit > 9 {
			break
		}
		n = n*10 + int(digit)
	}
	digits := c.pos - start
	if digits == 0 || digits > 18 || digits > 1 && c.data[start] == '0' {
		c.ok = false
	}
	return n
}

func (c *cursor) boolean() bool {
	if c.optional(`true`) {
		return true
	}
	c.literal(`false`)
	return false
}

// value reads one JSON object and returns its bytes. It finds the end by counting brackets outside
// of strings, which is right if the object is valid; that is left to who reads it.
func (c *cursor) value() []byte {
	depth, quoted, start := 0, false, c.pos
	for ; c.pos < len(c.data); c.pos++ {
		switch b := c.data[c.pos]; {
		case quoted && b == '\\':
			c.pos++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		}
		if depth == 0 {
			break
		}
	}
	if c.pos >= len(c.data) {
		c.pos, c.ok = len(c.data), false // a backslash at the end led beyond it
		return nil
	}
	c.pos++
	return c.data[start:c.pos]
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainASCII returns how many bytes of s stand for themselves in a JSON string and are ASCII: up to the
// first that is a quote, a backslash, a control character, or not ASCII.
//
// It looks at eight bytes at a time. A byte that is 0, or below 0x20, is one that borrows from its high
// bit when 1, or 0x20, is subtracted. A false alarm is possible only above a true one, and the lowest
// one counts. A search for the quote and then a check of what is before it took 30 % longer.
func plainASCII(s []byte) int {
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		quote, backslash := w^ones*'"', w^ones*'\\'
		special := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*0x20)&^w | w) & highs
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for ; i < len(s); i++ {
		if b := s[i]; b == '"' || b == '\\' || b < 0x20 || b >= utf8.RuneSelf {
			break
		}
	}
	return i
}

// plainUTF8 returns the length of the plain string that s begins with, of which the first n bytes have
// been found to be plain ASCII; it is negative if the string is not plain: it has an escape, a control
// character, or invalid UTF-8, or does not end.
func plainUTF8(s []byte, n int) int {
	end := bytes.IndexByte(s[n:], '"')
	if end < 0 {
		return -1
	}
	for _, b := range s[n : n+end] {
		if b < 0x20 || b == '\\' {
			return -1
		}
	}
	if !utf8.Valid(s[n : n+end]) {
		return -1
	}
	return n + end
}
