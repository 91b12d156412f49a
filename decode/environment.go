package decode

import "bytes"

// The members of an environment. Those up to sdkKey have texts, and index environmentReader.raw; expiringKey
// is one more text.
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

// An environmentReader reads environments, each compared with one that it is likely to resemble. It copies
// nothing: what it holds after a read refers to the bytes read.
type environmentReader struct {
	pace       *pace
	maxKeys    int // of one array
	data       []byte
	base       *EnvironmentRep   // what the environment is compared with
	changed    uint              // the texts that differ from those of base, by bit
	raw        [textCount][]byte // the texts that differ; sdkKey stands for sdkKey.value
	timestamp  int64
	sdkKeys    rawKeys
	mobileKeys rawKeys
	ttl        int
	secure     bool
	version    int

	// follows[m] is the member that came after m the last time, as a first guess: all environments
	// of a stream come from one encoder. It saves a search; see BenchmarkPatch/stale.
	follows [memberCount]uint8
	first   uint8
	fresh   []byte // reused by share; of at most maxShared bytes
}

// rawKeys are concurrent keys before their strings are copied.
type rawKeys struct {
	list []rawKey
	// stale are the keys behind the list, which an earlier array of the same environment left there.
	// Like encoding/json, a later one adds to them.
	stale int
	empty bool // there is an array, and it is empty
}

// A rawKey is a ConcurrentKeyRep before its strings are copied.
type rawKey struct {
	key, value []byte
	expiry     int64
	expires    bool
	hasViews   bool
}

// begin makes the reader ready for an environment in data, to be compared with base. The texts are those of
// base until they are read or cleared.
func (r *environmentReader) begin(data []byte, base *EnvironmentRep) {
	r.data, r.base, r.changed = data, base, 0
	r.timestamp, r.ttl, r.version, r.secure = 0, 0, 0, false
	r.sdkKeys.clear()
	r.mobileKeys.clear()
}

// clearTexts makes the texts of members, a set of bits, empty.
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

// is reports whether id is that of the environment read.
func (r *environmentReader) is(id []byte) bool {
	if r.changed&(1<<envID) != 0 {
		return bytes.Equal(id, r.raw[envID])
	}
	return string(id) == string(r.base.EnvID)
}

// forget drops what the reader refers to. Otherwise the buffer of a put, which may be huge, would stay in
// memory until patches have replaced each of the texts.
func (r *environmentReader) forget() {
	if r.data == nil {
		return
	}
	r.data, r.base = nil, nil
	clear(r.raw[:])
	r.sdkKeys.forget()
	r.mobileKeys.forget()
}

// clear drops the keys of the last environment, and no more than those: the memory for keys is larger.
func (k *rawKeys) clear() {
	clear(k.list[:len(k.list)+k.stale])
	*k = rawKeys{list: k.list[:0]}
}

// forget drops the keys, and the memory for more of them than an environment usually has.
func (k *rawKeys) forget() {
	k.clear()
	const kept = 64
	if cap(k.list) > kept {
		k.list = nil
	}
}
