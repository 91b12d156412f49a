package diff

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/relaystream/autoconfig/decode"
)

// mayExpire reports whether e names a key with an expiry, or an old key in the single slot. It is cheap, and
// false nearly always.
func mayExpire(e *decode.EnvironmentRep) bool {
	return e.SDKKey.Expiring.Value != "" || len(e.Lingering) > 0 || anyExpires(e.SDKKeys) || anyExpires(e.MobileKeys)
}

func anyExpires[K decode.SDKKey | decode.MobileKey](keys []decode.ConcurrentKeyRep[K]) bool {
	return slices.ContainsFunc(keys, func(k decode.ConcurrentKeyRep[K]) bool { return k.Expiry != nil })
}

// sortedKeys returns the keys that e accepts, sorted for align.
func sortedKeys(e *decode.EnvironmentRep) []Key {
	keys := e.AcceptedKeys()
	slices.SortFunc(keys, compareKeys)
	return keys
}

// compareKeys orders keys, whatever their expiry.
func compareKeys(a, b Key) int {
	if c := strings.Compare(string(a.SDKKey), string(b.SDKKey)); c != 0 {
		return c
	}
	return strings.Compare(string(a.MobileKey), string(b.MobileKey))
}

// align pairs the equal keys of two sorted sets. It yields every key of both once, with nil beside those that
// only one set has.
func align(before, after []Key) iter.Seq2[*Key, *Key] {
	return func(yield func(before, after *Key) bool) {
		for len(before) > 0 || len(after) > 0 {
			var b, a *Key
			order := 0
			switch {
			case len(after) == 0:
				order = -1
			case len(before) == 0:
				order = 1
			default:
				order = compareKeys(before[0], after[0])
			}
			if order <= 0 {
				b, before = &before[0], before[1:]
			}
			if order >= 0 {
				a, after = &after[0], after[1:]
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
	for k, still := range align(sortedKeys(before), sortedKeys(after)) {
		if still == nil && !k.Expiry.IsZero() {
			keys = append(keys, *k)
		}
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(a.Expiry.UnixMilli(), b.Expiry.UnixMilli()) })
	return keys
}
