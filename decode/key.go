package decode

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/relaystream/autoconfig/internal/expiry"
)

// A Key is a credential that an environment accepts: an SDK key or a mobile key. Exactly one of the two is set.
//
// Every verb of package fmt and package slog show the masked form. encoding/json shows the real key, and so does
// slog.JSONHandler for a slice, a map or a struct of another package with a Key in it.
type Key struct {
	// SDKKey is the key if it is an SDK key.
	SDKKey SDKKey
	// MobileKey is the key if it is a mobile key.
	MobileKey MobileKey
	// Expiry is the time at which the key expires. The zero time means never.
	Expiry time.Time
}

// String returns the type of the key and its masked form.
func (k Key) String() string {
	if k.MobileKey != "" {
		return "mobile key " + k.MobileKey.String()
	}
	return "SDK key " + k.SDKKey.String()
}

// Format implements fmt.Formatter. Every verb prints what String returns.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements slog.LogValuer. It returns what String returns.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// AcceptedKeys returns the keys that the environment accepts: the current SDK key, the current mobile key, those in
// SDKKeys and MobileKeys, the expiring SDK key if SDKKeys is empty, and those in Lingering. Each key is returned
// once, with the first expiry in this order. The current keys have no expiry, even if SDKKeys or MobileKeys
// say so. AcceptedKeys does not look at the clock: keys that have expired are included.
//
// It takes time in proportion to the number of keys.
func (r *EnvironmentRep) AcceptedKeys() []Key {
	return r.AppendAcceptedKeys(nil)
}

// AppendAcceptedKeys appends to keys those of AcceptedKeys that are not in keys yet, whatever their expiry.
func (r *EnvironmentRep) AppendAcceptedKeys(keys []Key) []Key {
	set := keySet{keys: slices.Grow(keys, 3+len(r.SDKKeys)+len(r.MobileKeys)+len(r.Lingering))}
	set = set.with(Key{SDKKey: r.SDKKey.Value}, 0)
	set = set.with(Key{MobileKey: r.MobKey}, 0)
	for i := range r.SDKKeys {
		set = set.with(Key{SDKKey: r.SDKKeys[i].Value}, r.SDKKeys[i].expiry())
	}
	for i := range r.MobileKeys {
		set = set.with(Key{MobileKey: r.MobileKeys[i].Value}, r.MobileKeys[i].expiry())
	}
	if old := r.SDKKey.Expiring; len(r.SDKKeys) == 0 {
		set = set.with(Key{SDKKey: old.Value}, old.Timestamp)
	}
	for _, old := range r.Lingering {
		set = set.with(Key{SDKKey: old.Value}, old.Timestamp)
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

// A keySet is a set of keys in the order in which they were added.
type keySet struct {
	keys []Key
	seen map[Key]struct{} // the keys without their expiry, if they are many
}

// with returns s with k, which has an expiry in Unix milliseconds, unless k is empty or in the set. It works on a
// copy of s so that keys may be on the stack of the caller.
func (s keySet) with(k Key, milliseconds int64) keySet {
	if k == (Key{}) || s.has(k) {
		return s
	}
	k.Expiry = expiry.Time(milliseconds)
	s.keys = append(s.keys, k)
	return s
}

// has reports whether k is in the set, and adds it to seen.
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

// same reports whether k and other are equal except for their expiry.
func (k Key) same(other Key) bool { return k.SDKKey == other.SDKKey && k.MobileKey == other.MobileKey }
