package diff

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/relaystream/autoconfig/decode"
)

// mayExpire reports whether e has a key with an expiry, or a key in the single slot. It is cheap, and false
// nearly always.
func mayExpire(e *decode.EnvironmentRep) bool {
	return e.SDKKey.Expiring.Value != "" || len(e.Lingering) > 0 || anyExpires(e.SDKKeys) || anyExpires(e.MobileKeys)
}

func anyExpires[K decode.SDKKey | decode.MobileKey](keys []decode.ConcurrentKeyRep[K]) bool {
	for i := range keys {
		if keys[i].Expiry != nil {
			return true
		}
	}
	return false
}

// sameKeys reports whether a and b have the same keys with the same expiries. It may be false if they do.
func sameKeys(a, b *decode.EnvironmentRep) bool {
	return sameNamed(a, b) && sameList(a.Lingering, b.Lingering)
}

// sameNamed is sameKeys but for those that linger.
func sameNamed(a, b *decode.EnvironmentRep) bool {
	return a.SDKKey == b.SDKKey && a.MobKey == b.MobKey && sameList(a.SDKKeys, b.SDKKeys) && sameList(a.MobileKeys, b.MobileKeys)
}

// sameList reports whether a and b share their memory, as decode makes equal lists.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// few is how many keys of an environment are sorted on the stack.
const few = 8

// sortedKeys returns the keys that e accepts, sorted for align. It uses the memory of buffer, which is empty.
func sortedKeys(buffer []Key, e *decode.EnvironmentRep) []Key {
	keys := e.AppendAcceptedKeys(buffer)
	slices.SortFunc(keys, compareKeys)
	return keys
}

// compareKeys orders keys, whatever their expiry: SDK keys before mobile keys.
func compareKeys(a, b Key) int {
	if c := strings.Compare(string(a.MobileKey), string(b.MobileKey)); c != 0 {
		return c
	}
	return strings.Compare(string(a.SDKKey), string(b.SDKKey))
}

// align pairs the equal keys of two sorted sets. It yields the indexes of every key in both sets once, and -1 for
// the set that does not have it.
func align(before, after []Key) iter.Seq2[int, int] {
	return func(yield func(b, a int) bool) {
		for i, j := 0, 0; i < len(before) || j < len(after); {
			b, a := -1, -1
			var order int
			switch {
			case j == len(after):
				order = -1
			case i == len(before):
				order = 1
			default:
				order = compareKeys(before[i], after[j])
			}
			if order <= 0 {
				b = i
				i++
			}
			if order >= 0 {
				a = j
				j++
			}
			if !yield(b, a) {
				return
			}
		}
	}
}

// expired returns the keys that before accepts with an expiry and after does not accept, in the order of
// their expiry.
func expired(before, after *decode.EnvironmentRep) (keys []Key) {
	if sameKeys(before, after) {
		return nil
	}
	var b, a [few]Key
	old, current := sortedKeys(b[:0], before), sortedKeys(a[:0], after)
	for i, j := range align(old, current) {
		if j < 0 && !old[i].Expiry.IsZero() {
			keys = append(keys, old[i])
		}
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(expiry(&a), expiry(&b)) })
	return keys
}

// expiry returns the expiry of a key in Unix milliseconds, 0 for never.
func expiry(k *Key) int64 {
	if k.Expiry.IsZero() {
		return 0
	}
	return k.Expiry.UnixMilli()
}

// past reports whether a key has expired by now.
func past(k *Key, now int64) bool { return !k.Expiry.IsZero() && expiry(k) <= now }

// settle returns e without contradictions: the current keys do not expire, the single slot agrees with SDKKeys,
// which are authoritative, and no key lingers. It returns a copy, or e itself if nothing had to change.
func settle(e *decode.EnvironmentRep) *decode.EnvironmentRep {
	slot, sdkKeys, mobileKeys := singleSlot(e), withoutExpiry(e.SDKKeys, e.SDKKey.Value), withoutExpiry(e.MobileKeys, e.MobKey)
	if slot == e.SDKKey.Expiring && sameList(sdkKeys, e.SDKKeys) && sameList(mobileKeys, e.MobileKeys) && len(e.Lingering) == 0 {
		return e
	}
	settled := *e
	settled.SDKKey.Expiring, settled.SDKKeys, settled.MobileKeys, settled.Lingering = slot, sdkKeys, mobileKeys, nil
	return &settled
}

// withLingering returns e with the keys that linger: a copy, or e itself if it has them.
func withLingering(e *decode.EnvironmentRep, keys []decode.ExpiringKeyRep) *decode.EnvironmentRep {
	if sameList(e.Lingering, keys) {
		return e
	}
	changed := *e
	changed.Lingering = keys
	return &changed
}

// withoutExpiry returns keys with no expiry for the current one.
func withoutExpiry[K decode.SDKKey | decode.MobileKey](keys []decode.ConcurrentKeyRep[K], current K) []decode.ConcurrentKeyRep[K] {
	expires := func(k decode.ConcurrentKeyRep[K]) bool { return k.Value == current && k.Expiry != nil }
	if !slices.ContainsFunc(keys, expires) {
		return keys
	}
	keys = slices.Clone(keys)
	for i := range keys {
		if keys[i].Value == current {
			keys[i].Expiry = nil
		}
	}
	return keys
}

// singleSlot returns the single slot of e, empty or corrected where it contradicts the other keys.
func singleSlot(e *decode.EnvironmentRep) decode.ExpiringKeyRep {
	slot := e.SDKKey.Expiring
	if slot.Value == e.SDKKey.Value || slot.Value == "" {
		return decode.ExpiringKeyRep{}
	}
	if len(e.SDKKeys) == 0 {
		return slot
	}
	for _, k := range e.SDKKeys {
		if k.Value == slot.Value {
			slot.Timestamp = 0
			if k.Expiry != nil {
				slot.Timestamp = *k.Expiry
			}
			return slot
		}
	}
	return decode.ExpiringKeyRep{}
}

// without returns e without the keys that dropped reports.
func without(e *decode.EnvironmentRep, dropped func(Key) bool) *decode.EnvironmentRep {
	sdk := func(value decode.SDKKey) bool { return dropped(Key{SDKKey: value}) }
	rest := *e
	if sdk(rest.SDKKey.Expiring.Value) {
		rest.SDKKey.Expiring = decode.ExpiringKeyRep{}
	}
	rest.SDKKeys = remove(e.SDKKeys, func(k decode.ConcurrentKeyRep[decode.SDKKey]) bool { return sdk(k.Value) })
	rest.MobileKeys = remove(e.MobileKeys, func(k decode.ConcurrentKeyRep[decode.MobileKey]) bool { return dropped(Key{MobileKey: k.Value}) })
	rest.Lingering = remove(e.Lingering, func(k decode.ExpiringKeyRep) bool { return sdk(k.Value) })
	return &rest
}

// remove returns list without the values that dropped reports: list itself if there are none, else a copy no
// larger than needed.
func remove[T any](list []T, dropped func(T) bool) []T {
	if !slices.ContainsFunc(list, dropped) {
		return list
	}
	var rest []T
	for _, v := range list {
		if !dropped(v) {
			rest = append(rest, v)
		}
	}
	return rest
}

// Expired returns the change that a key of an environment has expired. Its New is the environment without the
// key, or the environment itself if that does not name the key, or as a current one.
func Expired(environment *decode.EnvironmentRep, key *Key) Change {
	c := Change{Kind: KeyExpired, Old: environment, New: environment, Key: key}
	same := func(k Key) bool { return compareKeys(k, *key) == 0 }
	if same(Key{SDKKey: environment.SDKKey.Value}) || same(Key{MobileKey: environment.MobKey}) {
		return c
	}
	if slices.ContainsFunc(environment.AcceptedKeys(), same) {
		c.New = without(environment, same)
	}
	return c
}
