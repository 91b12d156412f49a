package decode

// The tokens between the values of an environment. They are never modified.
var (
	// memberNames has the name of each member, up to where its value begins.
	memberNames = [memberCount]token{
		tokenOf(`"envID":"`), tokenOf(`"envKey":"`), tokenOf(`"envName":"`), tokenOf(`"projKey":"`), tokenOf(`"projName":"`),
		tokenOf(`"mobKey":"`), tokenOf(`"sdkKey":{`), tokenOf(`"sdkKeys":[`), tokenOf(`"mobileKeys":[`),
		tokenOf(`"defaultTtl":`), tokenOf(`"secureMode":`), tokenOf(`"version":`),
	}

	valueName     = tokenOf(`"value":"`)
	expiringName  = tokenOf(`,"expiring":{`)
	timestampName = tokenOf(`,"timestamp":`)

	keyName      = tokenOf(`{"key":"`)
	keyValueName = tokenOf(`,"value":"`)
	expiryName   = tokenOf(`,"expiry":`)
	hasViewsName = tokenOf(`,"hasViews":`)
)

// read reads the environment at pos if it has the compact form, and otherwise fails. Members that are unknown,
// duplicated or null are among what fails.
func (r *environmentReader) read(data []byte, pos int, base *EnvironmentRep) int {
	r.begin(data, base)
	seen := uint(0)
	guess := &r.first
	pos = char(data, pos, '{')
	for more := true; more; pos, more = comma(data, pos) {
		value := memberNames[*guess].read(data, pos)
		if value == failed {
			if *guess, value = r.search(pos); value == failed {
				return failed
			}
		}
		if seen&(1<<*guess) != 0 {
			return failed
		}
		seen |= 1 << *guess
		pos = r.value(*guess, value)
		guess = &r.follows[*guess]
	}
	if absent := ^seen & (1<<textMembers - 1); absent != 0 {
		r.clearTexts(absent)
	}
	return char(data, pos, '}')
}

// search reads the name of a member and returns which member it is.
func (r *environmentReader) search(pos int) (member uint8, next int) {
	for m := range memberNames {
		if next := memberNames[m].read(r.data, pos); next != failed {
			return uint8(m), next
		}
	}
	return 0, failed
}

// value reads the value of a member, from where its token in memberNames ends.
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
		r.ttl, next = narrow(integer(r.data, pos))
	case secureMode:
		r.secure, next = boolean(r.data, pos)
	case version:
		r.version, next = narrow(integer(r.data, pos))
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
	pos = r.text(sdkKey, string(r.base.SDKKey.Value), valueName.read(r.data, pos))
	expiring := expiringName.read(r.data, pos)
	if expiring == failed {
		r.clearTexts(1 << expiringKey)
		return char(r.data, pos, '}')
	}
	if next := char(r.data, expiring, '}'); next != failed {
		r.clearTexts(1 << expiringKey)
		return char(r.data, next, '}')
	}
	pos = r.text(expiringKey, string(r.base.SDKKey.Expiring.Value), valueName.read(r.data, expiring))
	r.timestamp, pos = integer(r.data, timestampName.read(r.data, pos))
	return char(r.data, char(r.data, pos, '}'), '}')
}

// keys reads the rest of an array of {"key":"…","value":"…","expiry":N,"hasViews":B} into keys. The last two
// members are optional. It fails if the array is empty, which is rare, or longer than allowed.
func (r *environmentReader) keys(pos int, keys *rawKeys) int {
	for more := true; more; pos, more = comma(r.data, pos) {
		var k rawKey
		start := pos
		if k, pos = r.key(pos); pos == failed || len(keys.list) == r.maxKeys || !r.budget.spend(pos-start) {
			return failed
		}
		keys.list = append(keys.list, k)
	}
	return char(r.data, pos, ']')
}

// key reads an element of such an array.
func (r *environmentReader) key(pos int) (k rawKey, next int) {
	k.key, pos = r.anyText(keyName.read(r.data, pos))
	k.value, pos = text(r.data, keyValueName.read(r.data, pos))
	if expiry := expiryName.read(r.data, pos); expiry != failed {
		k.expires = true
		k.expiry, pos = integer(r.data, expiry)
	}
	if hasViews := hasViewsName.read(r.data, pos); hasViews != failed {
		k.hasViews, pos = boolean(r.data, hasViews)
	}
	return k, char(r.data, pos, '}')
}
