package decode

import "strings"

// A style is how an encoder writes what stands between the values of a message.
type style struct {
	path, data, version token // of a message

	// members has the name of each member, up to where its value begins, or to a blank in front of it.
	members [memberCount]token

	value, expiring, timestamp      token // of the SDK key
	key, keyValue, expiry, hasViews token // of an element of an array of keys
}

// The styles. They are never modified.
var (
	compactStyle = styleOf(func(s string) string { return s })
	spacedStyle  = styleOf(strings.NewReplacer(":", ": ", ",", ", ").Replace) // that of Python's encoder
)

// styleOf returns the style in which spell writes what is compact.
func styleOf(spell func(compact string) string) style {
	t := func(s string) token { return tokenOf(spell(s)) }
	return style{
		path: t(`{"path":"/`), data: t(`,"data":`), version: t(`,"version":`),
		members: [memberCount]token{
			t(`"envID":"`), t(`"envKey":"`), t(`"envName":"`), t(`"projKey":"`), t(`"projName":"`),
			t(`"mobKey":"`), t(`"sdkKey":{`), t(`"sdkKeys":[`), t(`"mobileKeys":[`),
			tokenOf(`"defaultTtl":`), tokenOf(`"secureMode":`), tokenOf(`"version":`),
		},
		value: t(`"value":"`), expiring: t(`,"expiring":{`), timestamp: t(`,"timestamp":`),
		key: t(`{"key":"`), keyValue: t(`,"value":"`), expiry: t(`,"expiry":`), hasViews: t(`,"hasViews":`),
	}
}

// A stop is where readUsual has stopped.
type stop uint8

const (
	atEnd    stop = iota // behind the environment
	atMember             // at a member, or at what is in its place
	atComma              // behind a value: at a comma, or at what is in its place
)

// readUsual reads members from pos on as long as they are new and have the form that encoders give them. It is called
// again behind each member that the general path has read.
//
// The loop keeps what it needs in variables, which takes a quarter less time than fields; see BenchmarkPatch/stale.
func (r *environmentReader) readUsual(pos int) (next int, at stop) {
	data, seen, member := r.data, r.seen, r.member
	for {
		guess := &r.follows[member]
		value := r.style.members[*guess].read(data, pos)
		if value == failed {
			if value = r.search(pos, guess); value == failed {
				return r.pause(pos, seen, member)
			}
		}
		if seen&(1<<*guess) != 0 {
			return r.pause(pos, seen, member)
		}
		member = *guess
		if next = r.value(member, value); next == failed {
			return r.pause(pos, seen, member)
		}
		seen |= 1 << member
		if next >= len(data) || data[next] != ',' {
			break
		}
		pos = next + 1
	}
	if end := char(data, next, '}'); end != failed {
		r.seen = seen
		return end, atEnd
	}
	if next < len(data) && data[next] > ' ' && member >= defaultTTL {
		return r.pause(pos, seen, member) // it is a fraction, for example
	}
	r.pause(next, seen, member)
	return next, atComma
}

// pause ends readUsual at a member.
func (r *environmentReader) pause(pos int, seen uint, member uint8) (next int, at stop) {
	r.seen, r.member = seen, member
	return pos, atMember
}

// search reads the name of a member in any style. It makes the style, and the member, the guess for what follows.
func (r *environmentReader) search(pos int, guess *uint8) (next int) {
	pos = spaces(r.data, pos)
	if next := r.style.members[*guess].read(r.data, pos); next != failed {
		return next
	}
	if char(r.data, pos, '"') == failed {
		return failed
	}
	for _, style := range [...]*style{&compactStyle, &spacedStyle} {
		for m := range style.members {
			if next := style.members[m].read(r.data, pos); next != failed {
				r.style, *guess = style, uint8(m)
				return next
			}
		}
	}
	return failed
}

// value reads the value of a member, from where the token in front of it ends.
func (r *environmentReader) value(member uint8, pos int) (next int) {
	switch member {
	case envID:
		return r.text(envID, string(r.base.EnvID), pos)
	case envKey:
		return r.text(envKey, r.base.EnvKey, pos)
	case envName:
		return r.text(envName, r.base.EnvName, pos)
	case projKey:
		return r.text(projKey, r.base.ProjKey, pos)
	case projName:
		return r.text(projName, r.base.ProjName, pos)
	case mobKey:
		return r.text(mobKey, string(r.base.MobKey), pos)
	case sdkKey:
		return r.sdkKey(pos)
	case sdkKeys:
		next = r.keys(pos, &r.sdkKeys)
	case mobileKeys:
		next = r.keys(pos, &r.mobileKeys)
	case defaultTTL:
		r.ttl, next = narrow(integer(r.data, blank(r.data, pos)))
	case secureMode:
		r.secure, next = boolean(r.data, blank(r.data, pos))
	case version:
		r.version, next = narrow(integer(r.data, blank(r.data, pos)))
	}
	return next
}

// text reads the rest of a string that is probably equal to known.
func (r *environmentReader) text(member int, known string, pos int) int {
	if next := sameText(r.data, pos, known); next != failed {
		return next
	}
	s, next := r.anyText(pos)
	if next != failed && string(s) != known {
		r.raw[member] = s
		r.changed |= 1 << member
	}
	return next
}

// anyText reads the rest of a string, plain or not.
func (r *environmentReader) anyText(pos int) (s []byte, next int) {
	if s, next = text(r.data, pos); next == failed && pos < len(r.data) {
		return r.unquoted(pos)
	}
	return s, next
}

// unquoted reads the rest of a string that is not plain. Encoders escape some characters of names that people give. Like
// text it fails if the string is longer than checkEvery, so that the general path need not read much again.
func (r *environmentReader) unquoted(pos int) (s []byte, next int) {
	in := reader{data: r.data[:min(pos+checkEvery, len(r.data))], pos: pos - len(`"`), budget: r.budget}
	if s = in.quoted(); in.err != nil {
		return nil, failed
	}
	return s, in.pos
}

// sdkKey reads the rest of {"value":"…","expiring":{"value":"…","timestamp":N}}. The inner object is optional
// and may be empty.
func (r *environmentReader) sdkKey(pos int) int {
	style := r.style
	pos = r.text(sdkKey, string(r.base.SDKKey.Value), style.value.read(r.data, pos))
	expiring := style.expiring.read(r.data, pos)
	if expiring == failed {
		r.clearTexts(1 << expiringKey)
		return char(r.data, pos, '}')
	}
	if next := char(r.data, expiring, '}'); next != failed {
		r.clearTexts(1 << expiringKey)
		return char(r.data, next, '}')
	}
	pos = r.text(expiringKey, string(r.base.SDKKey.Expiring.Value), style.value.read(r.data, expiring))
	r.timestamp, pos = integer(r.data, style.timestamp.read(r.data, pos))
	return char(r.data, char(r.data, pos, '}'), '}')
}

// keys reads the rest of an array of {"key":"…","value":"…","expiry":N,"hasViews":B} into keys. The last two
// members are optional. It fails if the array is longer than allowed.
func (r *environmentReader) keys(pos int, keys *rawKeys) int {
	if end := char(r.data, pos, ']'); end != failed {
		keys.empty = true
		return end
	}
	for more := true; more; pos, more = comma(r.data, pos) {
		var k rawKey
		start := pos
		if k, pos = r.key(blank(r.data, pos)); pos == failed || len(keys.list) == r.maxKeys || !r.budget.spend(pos-start) {
			return failed
		}
		keys.list = append(keys.list, k)
	}
	return char(r.data, pos, ']')
}

// key reads an element of such an array.
func (r *environmentReader) key(pos int) (k rawKey, next int) {
	style := r.style
	k.key, pos = r.anyText(style.key.read(r.data, pos))
	k.value, pos = text(r.data, style.keyValue.read(r.data, pos))
	if expiry := style.expiry.read(r.data, pos); expiry != failed {
		k.expires = true
		k.expiry, pos = integer(r.data, expiry)
	}
	if hasViews := style.hasViews.read(r.data, pos); hasViews != failed {
		k.hasViews, pos = boolean(r.data, hasViews)
	}
	return k, char(r.data, pos, '}')
}
