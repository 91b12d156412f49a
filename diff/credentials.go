package diff

import (
	"iter"
	"slices"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// A credential is a key as an environment names it.
type credential struct {
	sdk    decode.SDKKey
	mobile decode.MobileKey
	expiry int64 // Unix ms; 0 is never
}

// same reports whether both are the same key, whatever its expiry.
func (c credential) same(other credential) bool {
	return c.sdk == other.sdk && c.mobile == other.mobile
}

func (c credential) key() *Key {
	return &Key{SDKKey: c.sdk, MobileKey: c.mobile, Expiry: time.UnixMilli(c.expiry)}
}

// credentials returns all keys that e names. The current keys never expire, whatever their entry in
// an array says. Where there is an array, it is authoritative and the single slot is not consulted.
func credentials(e *decode.EnvironmentRep) iter.Seq[credential] {
	return func(yield func(credential) bool) {
		if !yield(credential{sdk: e.SDKKey.Value}) || !yield(credential{mobile: e.MobKey}) {
			return
		}
		for _, k := range e.SDKKeys {
			if k.Value != e.SDKKey.Value && !yield(credential{sdk: k.Value, expiry: milliseconds(k.Expiry)}) {
				return
			}
		}
		for _, k := range e.MobileKeys {
			if k.Value != e.MobKey && !yield(credential{mobile: k.Value, expiry: milliseconds(k.Expiry)}) {
				return
			}
		}
		if old := e.SDKKey.Expiring; len(e.SDKKeys) == 0 && old.Value != "" && old.Value != e.SDKKey.Value {
			yield(credential{sdk: old.Value, expiry: old.Timestamp})
		}
	}
}

func milliseconds(expiry *int64) int64 {
	if expiry == nil {
		return 0
	}
	return *expiry
}

// authoritative reports whether e names all accepted keys of the same sort as c, so that one it does
// not name is not accepted. The single slot holds only one, so that a key may outlive its place in it.
func authoritative(e *decode.EnvironmentRep, c credential) bool {
	if c.mobile != "" {
		return len(e.MobileKeys) > 0
	}
	return len(e.SDKKeys) > 0
}

// consistent returns e with a single slot that says no other than the keys that count: the current key
// does not expire, and what an array does not list is not accepted. It is e itself nearly always.
func consistent(e *decode.EnvironmentRep) *decode.EnvironmentRep {
	slot := e.SDKKey.Expiring
	switch {
	case slot.Value == "":
	case slot.Value == e.SDKKey.Value:
		slot = decode.ExpiringKeyRep{}
	case len(e.SDKKeys) > 0:
		listed, _ := lookup(e, credential{sdk: slot.Value})
		slot = decode.ExpiringKeyRep{Value: listed.sdk, Timestamp: listed.expiry}
	}
	if slot == e.SDKKey.Expiring {
		return e
	}
	settled := *e
	settled.SDKKey.Expiring = slot
	return &settled
}

// lookup returns a key as e names it; ok is false if e does not.
func lookup(e *decode.EnvironmentRep, c credential) (found credential, ok bool) {
	for named := range credentials(e) {
		if named.same(c) {
			return named, true
		}
	}
	return found, false
}

// without returns e without the keys for which drop is true: e itself if there is none.
func without(e *decode.EnvironmentRep, drop func(credential) bool) *decode.EnvironmentRep {
	slot := credential{sdk: e.SDKKey.Expiring.Value, expiry: e.SDKKey.Expiring.Timestamp}
	dropSlot := slot.sdk != "" && slot.sdk != e.SDKKey.Value && drop(slot)
	dropSDK := func(k decode.ConcurrentKeyRep[decode.SDKKey]) bool {
		return k.Value != e.SDKKey.Value && drop(credential{sdk: k.Value, expiry: milliseconds(k.Expiry)})
	}
	dropMobile := func(k decode.ConcurrentKeyRep[decode.MobileKey]) bool {
		return k.Value != e.MobKey && drop(credential{mobile: k.Value, expiry: milliseconds(k.Expiry)})
	}
	if !dropSlot && !slices.ContainsFunc(e.SDKKeys, dropSDK) && !slices.ContainsFunc(e.MobileKeys, dropMobile) {
		return e
	}
	rest := *e
	if dropSlot {
		rest.SDKKey.Expiring = decode.ExpiringKeyRep{}
	}
	rest.SDKKeys = slices.DeleteFunc(slices.Clone(e.SDKKeys), dropSDK)
	rest.MobileKeys = slices.DeleteFunc(slices.Clone(e.MobileKeys), dropMobile)
	return &rest
}
