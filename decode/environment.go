package decode

import "bytes"

// The members of an environment. Those up to sdkKey are texts, which index environmentReader.raw. The value of
// the expiring key is one more text. The order is that of style.members and environmentShape, and environmentReader.change
// needs the four names, and the three keys, one behind the other.
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

// An environmentReader reads environments. It compares each with one that it probably resembles, its base. It
// does not copy: after a read it refers to the data.
type environmentReader struct {
	budget     *budget
	maxKeys    int // of one array
	data       []byte
	base       *EnvironmentRep
	changed    uint              // a bit for each text that differs from that of base
	raw        [textCount][]byte // the texts that differ; sdkKey is the index of sdkKey.value
	timestamp  int64
	sdkKeys    rawKeys
	mobileKeys rawKeys
	ttl        int
	secure     bool
	version    int

	seen    uint  // a bit for each member that was read
	member  uint8 // the last one that readUsual has read, or memberCount
	unusual bool  // readMember has read one

	style *style // of the last name that was searched for
	// follows[m] is the member that came after m the last time, and follows[memberCount] the one that came first. All
	// environments of a stream come from one encoder, so the guess saves a search; see BenchmarkPatch/stale.
	follows [memberCount + 1]uint8
	fresh   []byte // scratch space for share, of at most maxShared bytes
}

// rawKeys are concurrent keys before their strings are copied.
type rawKeys struct {
	list []rawKey
	// stale is the number of keys behind the list that an earlier array of the same environment has left.
	// Like encoding/json, a later array decodes into them.
	stale int
	empty bool // the array is there and empty
}

// A rawKey is a ConcurrentKeyRep before its strings are copied.
type rawKey struct {
	key, value []byte
	expiry     int64
	expires    bool
	hasViews   bool
}

// begin prepares the reader for an environment in data. Its texts are those of base until they are read or
// cleared.
func (r *environmentReader) begin(data []byte, base *EnvironmentRep) {
	r.data, r.base, r.changed = data, base, 0
	r.seen, r.member, r.unusual = 0, memberCount, false
	r.timestamp, r.ttl, r.version, r.secure = 0, 0, 0, false
	r.sdkKeys.clear()
	r.mobileKeys.clear()
}

// clearTexts sets texts to the empty string. members has a bit for each of them.
func (r *environmentReader) clearTexts(members uint) {
	if members&(1<<sdkKey) != 0 {
		members |= 1 << expiringKey
	}
	r.changed |= members
	for m := range r.raw {
		if members&(1<<m) != 0 {
			r.raw[m] = nil
		}
	}
}

// finish ends the reading of an environment. Texts that are absent become empty.
func (r *environmentReader) finish() {
	if absent := ^r.seen & (1<<textMembers - 1); absent != 0 {
		r.clearTexts(absent)
	}
	if r.unusual {
		r.compare()
	}
}

// compare clears changed for texts that equal those of base.
func (r *environmentReader) compare() {
	for m, text := range [textCount]string{
		string(r.base.EnvID), r.base.EnvKey, r.base.EnvName, r.base.ProjKey, r.base.ProjName,
		string(r.base.MobKey), string(r.base.SDKKey.Value), string(r.base.SDKKey.Expiring.Value),
	} {
		if string(r.raw[m]) == text {
			r.changed &^= 1 << m
		}
	}
}

// rebase replaces base, which is empty.
func (r *environmentReader) rebase(base *EnvironmentRep) {
	for m := range r.raw {
		if r.changed&(1<<m) == 0 {
			r.raw[m] = nil
		}
	}
	r.base, r.changed = base, 1<<textCount-1
	r.compare()
}

// is reports whether the environment has the ID.
func (r *environmentReader) is(id []byte) bool {
	if r.changed&(1<<envID) != 0 {
		return bytes.Equal(id, r.raw[envID])
	}
	return string(id) == string(r.base.EnvID)
}

// forget drops all references to the data. Otherwise the buffer of a huge put would stay in memory until later
// events have replaced every text.
func (r *environmentReader) forget() {
	if r.data == nil {
		return
	}
	r.data, r.base = nil, nil
	clear(r.raw[:])
	r.sdkKeys.forget()
	r.mobileKeys.forget()
}

// clear removes the keys. It does not clear the capacity that is not in use, which may be large.
func (k *rawKeys) clear() {
	if len(k.list) == 0 && k.stale == 0 && !k.empty {
		return // nearly always
	}
	clear(k.list[:len(k.list)+k.stale])
	*k = rawKeys{list: k.list[:0]}
}

// forget removes the keys, and frees their memory if it is for more keys than usual.
func (k *rawKeys) forget() {
	k.clear()
	const keep = 64 // keys
	if cap(k.list) > keep {
		k.list = nil
	}
}
