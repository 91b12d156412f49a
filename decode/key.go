package decode

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// A Key is a credential of an environment: an SDK key or a mobile key. Exactly one of the two is set.
//
// Every fmt verb and slog show it masked, like an SDKKey. A conversion of its fields to string and
// encoding/json give the real value.
type Key struct {
	SDKKey    SDKKey
	MobileKey MobileKey
	// Expiry is when the key expires. The zero time means never.
	Expiry time.Time
}

// String returns the kind of the key and its masked form.
func (k Key) String() string {
	if k.MobileKey != "" {
		return "mobile key " + k.MobileKey.String()
	}
	return "SDK key " + k.SDKKey.String()
}

// Format implements fmt.Formatter with String for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements slog.LogValuer with String.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// AcceptedKeys returns the keys that the environment accepts, each once: the current SDK key, the current
// mobile key, those of SDKKeys and of MobileKeys, the expiring one if SDKKeys is empty, and the lingering
// ones. The current keys have no expiry, whatever SDKKeys and MobileKeys say. Of a key that is listed
// several times, the first expiry counts. The result may include keys whose expiry is past.
//
// The cost is linear in the number of keys.
func (r *EnvironmentRep) AcceptedKeys() []Key {
	set := keySet{keys: make([]Key, 0, 3+len(r.SDKKeys)+len(r.MobileKeys)+len(r.Lingering))}
	set.add(Key{SDKKey: r.SDKKey.Value}, 0)
	set.add(Key{MobileKey: r.MobKey}, 0)
	for i := range r.SDKKeys {
		set.add(Key{SDKKey: r.SDKKeys[i].Value}, r.SDKKeys[i].expiry())
	}
	for i := range r.MobileKeys {
		set.add(Key{MobileKey: r.MobileKeys[i].Value}, r.MobileKeys[i].expiry())
	}
	if old := r.SDKKey.Expiring; len(r.SDKKeys) == 0 {
		set.add(Key{SDKKey: old.Value}, old.Timestamp)
	}
	for _, old := range r.Lingering {
		set.add(Key{SDKKey: old.Value}, old.Timestamp)
	}
	return set.keys
}

// expiry returns the expiry in Unix milliseconds, 0 for never.
func (k *ConcurrentKeyRep[K]) expiry() int64 {
	if k.Expiry == nil {
		return 0
	}
	return *k.Expiry
}

// A keySet is a list of distinct keys.
type keySet struct {
	keys []Key
	seen map[Key]struct{} // the keys without their expiry, once there are many
}

// add adds k, which has no expiry yet, unless it is empty or in the set.
func (s *keySet) add(k Key, milliseconds int64) {
	if k == (Key{}) || s.has(k) {
		return
	}
	if milliseconds != 0 {
		// The year 1 is the zero time, which means never, so that no time is before 1970.
		k.Expiry = time.UnixMilli(max(milliseconds, 1))
	}
	s.keys = append(s.keys, k)
}

// has reports whether k, which has no expiry, is in the set, and remembers it if there are many.
func (s *keySet) has(k Key) bool {
	const few = 16
	if len(s.keys) < few {
		return slices.ContainsFunc(s.keys, k.same)
	}
	if s.seen == nil {
		s.seen = make(map[Key]struct{}, cap(s.keys))
		for _, k := range s.keys {
			s.seen[Key{SDKKey: k.SDKKey, MobileKey: k.MobileKey}] = struct{}{}
		}
	}
	_, ok := s.seen[k]
	s.seen[k] = struct{}{}
	return ok
}

// same reports whether both are the same credential, whatever their expiry.
func (k Key) same(other Key) bool { return k.SDKKey == other.SDKKey && k.MobileKey == other.MobileKey }
