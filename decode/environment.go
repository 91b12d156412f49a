package decode

import "bytes"

// The members of an environment. The first ones, up to sdkKey, have texts, and index
// environmentReader.raw; expiringKey is one more.
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

	textMembers = sdkKey + 1
	expiringKey = textMembers
	textCount   = expiringKey + 1
)

// What stands between the values of an environment. None of it is ever written to.
var (
	// memberNames gives each member as the wire has it, up to where its value begins.
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

// An environmentReader reads environments in the wire's usual form, each beside one that it is likely to
// resemble. It copies nothing: what it holds after a read refers to the bytes read.
type environmentReader struct {
	data       []byte
	like       *EnvironmentRep
	changed    uint              // the texts that are not those of like, by bit
	raw        [textCount][]byte // those that changed; sdkKey stands for sdkKey.value
	timestamp  int64
	sdkKeys    []rawKey
	mobileKeys []rawKey
	ttl        int
	secure     bool
	version    int

	// follows[m] is the member that came after m the last time, as a first guess: all environments
	// of a stream come from one encoder. With a search each time, BenchmarkPatch/stale takes 223 ns
	// instead of 160.
	follows [memberCount]uint8
	first   uint8
	fresh   []byte // reused by share; of at most maxShared bytes
}

// A rawKey is a ConcurrentKeyRep before its strings are copied.
type rawKey struct {
	key, value []byte
	expiry     int64
	expires    bool
	hasViews   bool
}

// read reads the environment at pos, beside like. It fails at one in an unusual form: members that are
// unknown, named twice or null among others.
func (r *environmentReader) read(data []byte, pos int, like *EnvironmentRep) int {
	r.data, r.like, r.changed = data, like, 0
	r.timestamp, r.ttl, r.version, r.secure = 0, 0, 0, false
	r.dropKeys()
	seen := uint(0)
	guess := &r.first
	pos = char(data, pos, '{')
	for more := true; more; pos, more = another(data, pos) {
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
		r.clear(absent)
	}
	return char(data, pos, '}')
}

// search reads whichever name comes next.
func (r *environmentReader) search(pos int) (member uint8, next int) {
	for m := range memberNames {
		if next := memberNames[m].read(r.data, pos); next != failed {
			return uint8(m), next
		}
	}
	return 0, failed
}

// value reads the value of a member, which its name has begun.
func (r *environmentReader) value(member uint8, pos int) (next int) {
	switch member {
	case envID:
		return r.text(envID, string(r.like.EnvID), pos)
	case envKey:
		return r.text(envKey, r.like.EnvKey, pos)
	case envName:
		return r.text(envName, r.like.EnvName, pos)
	case projKey:
		return r.text(projKey, r.like.ProjKey, pos)
	case projName:
		return r.text(projName, r.like.ProjName, pos)
	case mobKey:
		return r.text(mobKey, string(r.like.MobKey), pos)
	case sdkKey:
		return r.sdkKey(pos)
	case sdkKeys:
		r.sdkKeys, next = readKeys(r.data, pos, r.sdkKeys)
	case mobileKeys:
		r.mobileKeys, next = readKeys(r.data, pos, r.mobileKeys)
	case defaultTTL:
		r.ttl, next = narrow(integer(r.data, pos))
	case secureMode:
		r.secure, next = boolean(r.data, pos)
	case version:
		r.version, next = narrow(integer(r.data, pos))
	}
	return next
}

// text reads the rest of a string that is most likely the known one.
func (r *environmentReader) text(member int, known string, pos int) int {
	if next := sameText(r.data, pos, known); next != failed {
		return next
	}
	s, next := text(r.data, pos)
	if next != failed && string(s) != known {
		r.raw[member] = s
		r.changed |= 1 << member
	}
	return next
}

// clear makes the texts of absent members empty.
func (r *environmentReader) clear(absent uint) {
	if absent&(1<<sdkKey) != 0 {
		absent |= 1 << expiringKey
	}
	r.changed |= absent
	for m := range r.raw {
		if absent&(1<<m) != 0 {
			r.raw[m] = nil
		}
	}
}

// sdkKey reads the rest of {"value":"…","expiring":{"value":"…","timestamp":N}}, the inner object optional
// or empty.
func (r *environmentReader) sdkKey(pos int) int {
	pos = r.text(sdkKey, string(r.like.SDKKey.Value), valueName.read(r.data, pos))
	expiring := expiringName.read(r.data, pos)
	if expiring == failed {
		r.clear(1 << expiringKey)
		return char(r.data, pos, '}')
	}
	if next := char(r.data, expiring, '}'); next != failed {
		r.clear(1 << expiringKey)
		return char(r.data, next, '}')
	}
	pos = r.text(expiringKey, string(r.like.SDKKey.Expiring.Value), valueName.read(r.data, expiring))
	r.timestamp, pos = integer(r.data, timestampName.read(r.data, pos))
	return char(r.data, char(r.data, pos, '}'), '}')
}

// readKeys reads the rest of an array of {"key":"…","value":"…","expiry":N,"hasViews":B}, the last two
// optional, into keys. Empty and absent differ in the result; an empty array is rare enough for the strict
// path.
func readKeys(data []byte, pos int, keys []rawKey) (_ []rawKey, next int) {
	for more := true; more; pos, more = another(data, pos) {
		var k rawKey
		k.key, pos = text(data, keyName.read(data, pos))
		k.value, pos = text(data, keyValueName.read(data, pos))
		if expiry := expiryName.read(data, pos); expiry != failed {
			k.expires = true
			k.expiry, pos = integer(data, expiry)
		}
		if hasViews := hasViewsName.read(data, pos); hasViews != failed {
			k.hasViews, pos = boolean(data, hasViews)
		}
		pos = char(data, pos, '}')
		keys = append(keys, k)
	}
	return keys, char(data, pos, ']')
}

// forget drops what the reader refers to. It would otherwise stay in memory until a later read happens to
// replace it: the buffer of a put, which may be huge, for as long as no patch changes each of the texts.
func (r *environmentReader) forget() {
	if r.data == nil {
		return
	}
	r.data, r.like = nil, nil
	clear(r.raw[:])
	r.dropKeys()
	const kept = 64 // keys; the memory for more than an environment usually has is not kept for the next one
	if cap(r.sdkKeys) > kept || cap(r.mobileKeys) > kept {
		r.sdkKeys, r.mobileKeys = nil, nil
	}
}

// dropKeys drops the keys of the last environment, and no more than those: the memory for keys is larger.
func (r *environmentReader) dropKeys() {
	clear(r.sdkKeys)
	clear(r.mobileKeys)
	r.sdkKeys, r.mobileKeys = r.sdkKeys[:0], r.mobileKeys[:0]
}

// is reports whether id is that of the environment read.
func (r *environmentReader) is(id []byte) bool {
	if r.changed&(1<<envID) != 0 {
		return bytes.Equal(id, r.raw[envID])
	}
	return string(id) == string(r.like.EnvID)
}

// rep makes the environment of what was read. Strings and keys that are those of the one it was read
// beside share its memory: between two versions of an environment little changes, and the rest must
// neither be copied nor be kept twice.
func (r *environmentReader) rep() *EnvironmentRep {
	rep := new(EnvironmentRep)
	*rep = *r.like
	rep.Lingering = nil
	if r.changed != 0 {
		r.change(rep)
	}
	rep.SDKKey.Expiring.Timestamp = r.timestamp
	rep.SDKKeys = shareKeys(rep.SDKKeys, r.sdkKeys)
	rep.MobileKeys = shareKeys(rep.MobileKeys, r.mobileKeys)
	rep.DefaultTTL, rep.SecureMode, rep.Version = r.ttl, r.secure, r.version
	return rep
}

// change gives rep the texts that changed. The ID, which outlives its environment, has memory of its own,
// and the names share nothing with the keys, so that none of these stays in memory for the sake of another.
func (r *environmentReader) change(rep *EnvironmentRep) {
	if old := r.like.SDKKey.Value; r.changed&(1<<expiringKey) != 0 && string(r.raw[expiringKey]) == string(old) {
		r.changed &^= 1 << expiringKey
		rep.SDKKey.Expiring.Value = old // the key that has just been replaced is the one that expires now
	}
	if r.changed&(1<<envID) != 0 {
		rep.EnvID = EnvironmentID(r.raw[envID])
	}
	names := [...]*string{&rep.EnvKey, &rep.EnvName, &rep.ProjKey, &rep.ProjName}
	keys := [...]*string{(*string)(&rep.MobKey), (*string)(&rep.SDKKey.Value), (*string)(&rep.SDKKey.Expiring.Value)}
	r.share(names[:], envKey)
	r.share(keys[:], mobKey)
}

// maxShared is the most bytes that texts share: as much as one of them can keep in memory.
const maxShared = 256

// share gives those of texts, the first of which is that of a member, what is in raw if they changed. Short
// ones share one piece of memory: a first put takes 1.2 µs for an environment instead of 1.5, end to end.
func (r *environmentReader) share(texts []*string, first int) {
	raw, changed := r.raw[first:first+len(texts)], r.changed>>first
	r.fresh = r.fresh[:0]
	for i, text := range texts {
		if changed&(1<<i) == 0 {
			continue
		}
		if len(r.fresh)+len(raw[i]) > maxShared {
			*text = string(raw[i])
			changed &^= 1 << i
			continue
		}
		r.fresh = append(r.fresh, raw[i]...)
	}
	shared := string(r.fresh)
	for i, text := range texts {
		if changed&(1<<i) != 0 {
			n := len(raw[i])
			*text, shared = shared[:n], shared[n:]
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
			expiry := k.expiry
			keys[i].Expiry = &expiry
		}
	}
	return keys
}

func (k *rawKey) is(key, value string, expiry *int64, hasViews bool) bool {
	return string(k.key) == key && string(k.value) == value && k.hasViews == hasViews &&
		k.expires == (expiry != nil) && (expiry == nil || k.expiry == *expiry)
}
