package decode

// The members of an environment, in the order in which they usually follow each other. The first
// ones, up to mobKey, are strings, and index environmentReader.text; expiringKey is one more.
const (
	envID = iota
	envKey
	envName
	projKey
	projName
	mobKey
	sdkKey
	sdkKeys
	mobileKeys
	defaultTTL
	secureMode
	version
	memberCount

	expiringKey = sdkKey + 1
	textCount   = expiringKey + 1
)

// memberNames gives each member as the wire names it. It is never written to.
var memberNames = [memberCount]string{
	`"envID":`, `"envKey":`, `"envName":`, `"projKey":`, `"projName":`, `"mobKey":`, `"sdkKey":`,
	`"sdkKeys":`, `"mobileKeys":`, `"defaultTtl":`, `"secureMode":`, `"version":`,
}

// An environmentReader reads environments in the wire's usual form without copying: what it holds
// after a read refers to the bytes read.
type environmentReader struct {
	text       [textCount][]byte // sdkKey stands for sdkKey.value; the ID, the names, and then the keys
	timestamp  int
	sdkKeys    []rawKey
	mobileKeys []rawKey
	ttl        int
	secure     bool
	version    int

	// follows[m] is the member that came after m the last time, as a first guess: all environments
	// of a stream come from one encoder.
	follows [memberCount]uint8
	first   uint8
}

// A rawKey is a ConcurrentKeyRep before its strings are copied.
type rawKey struct {
	key, value []byte
	expiry     int
	expires    bool
	hasViews   bool
}

// read reads one environment. It reports false for one in an unusual form: members that are
// unknown, named twice or null among others.
func (r *environmentReader) read(c *cursor) bool {
	r.text = [textCount][]byte{}
	r.timestamp, r.ttl, r.version, r.secure = 0, 0, 0, false
	r.sdkKeys, r.mobileKeys = r.sdkKeys[:0], r.mobileKeys[:0]
	c.literal(`{`)
	seen := 0
	guess := &r.first
	for more := true; more && c.ok; more = c.optional(`,`) {
		m := r.member(c, guess)
		if m == memberCount || seen&(1<<m) != 0 {
			return false
		}
		seen |= 1 << m
		guess = &r.follows[m]
		r.value(c, m)
	}
	c.literal(`}`)
	return c.ok
}

// member reads the name of a member, first of all the one guessed, and corrects the guess. It
// returns memberCount if there is none of these names.
func (r *environmentReader) member(c *cursor, guess *uint8) int {
	if c.optional(memberNames[*guess]) {
		return int(*guess)
	}
	for m, name := range memberNames {
		if c.optional(name) {
			*guess = uint8(m)
			return m
		}
	}
	return memberCount
}

func (r *environmentReader) value(c *cursor, member int) {
	switch member {
	case sdkKey:
		r.sdkKey(c)
	case sdkKeys:
		r.sdkKeys = readKeys(c, r.sdkKeys)
	case mobileKeys:
		r.mobileKeys = readKeys(c, r.mobileKeys)
	case defaultTTL:
		r.ttl = c.integer()
	case secureMode:
		r.secure = c.boolean()
	case version:
		r.version = c.integer()
	default:
		r.text[member] = c.text()
	}
}

// sdkKey reads {"value":"…","expiring":{"value":"…","timestamp":N}}, the inner object optional or
// empty.
func (r *environmentReader) sdkKey(c *cursor) {
	c.literal(`{"value":`)
	r.text[sdkKey] = c.text()
	if c.optional(`,"expiring":{`) && !c.optional(`}`) {
		c.literal(`"value":`)
		r.text[expiringKey] = c.text()
		c.literal(`,"timestamp":`)
		r.timestamp = c.integer()
		c.literal(`}`)
	}
	c.literal(`}`)
}

// readKeys reads an array of {"key":"…","value":"…","expiry":N,"hasViews":B}, the last two optional,
// into keys.
func readKeys(c *cursor, keys []rawKey) []rawKey {
	c.literal(`[`)
	if c.optional(`]`) {
		// Empty and absent differ in the result; it is rare enough for the strict path.
		c.ok = false
	}
	for more := true; more && c.ok; more = c.optional(`,`) {
		var k rawKey
		c.literal(`{"key":`)
		k.key = c.text()
		c.literal(`,"value":`)
		k.value = c.text()
		if k.expires = c.optional(`,"expiry":`); k.expires {
			k.expiry = c.integer()
		}
		if c.optional(`,"hasViews":`) {
			k.hasViews = c.boolean()
		}
		c.literal(`}`)
		keys = append(keys, k)
	}
	c.literal(`]`)
	return keys
}

// consistent does what EnvironmentRep.check does, and reports only whether all is well.
func (r *environmentReader) consistent() bool {
	return anchored(r.sdkKeys, r.text[sdkKey]) && anchored(r.mobileKeys, r.text[mobKey])
}

func anchored(keys []rawKey, anchor []byte) bool {
	found := len(keys) == 0
	for i := range keys {
		if len(keys[i].value) == 0 {
			return false
		}
		found = found || string(keys[i].value) == string(anchor)
	}
	return found
}

// rep makes the environment of what was read. Strings and keys that are those of like share its
// memory: between two versions of an environment little changes, and the rest must neither be
// copied nor be kept twice.
func (r *environmentReader) rep(like *EnvironmentRep) *EnvironmentRep {
	// The ID and the names share nothing with the keys, so that no key stays in memory for the sake of
	// an ID, which outlives the environment.
	names := [...]string{string(like.EnvID), like.EnvKey, like.EnvName, like.ProjKey, like.ProjName}
	share(names[:], r.text[envID:projName+1])
	keys := [...]string{string(like.MobKey), string(like.SDKKey.Value), string(like.SDKKey.Expiring.Value)}
	if string(r.text[expiringKey]) == string(like.SDKKey.Value) {
		keys[2] = string(like.SDKKey.Value) // a key that has just been replaced is the one that expires now
	}
	share(keys[:], r.text[mobKey:expiringKey+1])
	return &EnvironmentRep{
		EnvID:    EnvironmentID(names[envID]),
		EnvKey:   names[envKey],
		EnvName:  names[envName],
		ProjKey:  names[projKey],
		ProjName: names[projName],
		SDKKey: SDKKeyRep{
			Value:    SDKKey(keys[1]),
			Expiring: ExpiringKeyRep{Value: SDKKey(keys[2]), Timestamp: int64(r.timestamp)},
		},
		MobKey:     MobileKey(keys[0]),
		SDKKeys:    shareKeys(like.SDKKeys, r.sdkKeys),
		MobileKeys: shareKeys(like.MobileKeys, r.mobileKeys),
		DefaultTTL: r.ttl,
		SecureMode: r.secure,
		Version:    r.version,
	}
}

// share makes texts what is in raw, and leaves those as they are that are the same already. The others
// share one piece of memory, which is smaller than several, and quicker to make and to compare.
func share(texts []string, raw [][]byte) {
	var buffer [256]byte
	fresh := buffer[:0]
	changed := 0
	for i, text := range texts {
		if text != string(raw[i]) {
			changed |= 1 << i
			fresh = append(fresh, raw[i]...)
		}
	}
	if changed == 0 {
		return
	}
	rest := string(fresh)
	for i := range texts {
		if changed&(1<<i) != 0 {
			n := len(raw[i])
			texts[i], rest = rest[:n], rest[n:]
		}
	}
}

// shareKeys returns raw as concurrent keys, old if these are the same.
func shareKeys[K SDKKey | MobileKey](old []ConcurrentKeyRep[K], raw []rawKey) []ConcurrentKeyRep[K] {
	if len(raw) == 0 {
		return nil
	}
	same := len(old) == len(raw)
	for i := 0; same && i < len(raw); i++ {
		same = raw[i].is(old[i].Key, string(old[i].Value), old[i].Expiry, old[i].HasViews)
	}
	if same {
		return old
	}
	keys := make([]ConcurrentKeyRep[K], len(raw))
	for i, k := range raw {
		keys[i] = ConcurrentKeyRep[K]{Key: string(k.key), Value: K(k.value), HasViews: k.hasViews}
		if k.expires {
			expiry := int64(k.expiry)
			keys[i].Expiry = &expiry
		}
	}
	return keys
}

func (k *rawKey) is(key, value string, expiry *int64, hasViews bool) bool {
	return string(k.key) == key && string(k.value) == value && k.hasViews == hasViews &&
		k.expires == (expiry != nil) && (expiry == nil || int64(k.expiry) == *expiry)
}
