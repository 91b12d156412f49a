package journal

import (
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// touchesKeys reports whether c adds or updates an environment that has, or had, a key with an expiry: besides
// the line about the environment there may be lines about its keys.
func touchesKeys(c diff.Change) bool {
	return (c.Kind == diff.EnvironmentAdded || c.Kind == diff.EnvironmentUpdated) && (mayExpire(c.New) || mayExpire(c.Old))
}

// mayExpire reports whether a key of e, which may be nil, has an expiry.
func mayExpire(e *decode.EnvironmentRep) bool {
	return e != nil && (e.SDKKey.Expiring.Timestamp != 0 || len(e.Lingering) > 0 ||
		anyExpires(e.SDKKeys) || anyExpires(e.MobileKeys))
}

func anyExpires[K decode.SDKKey | decode.MobileKey](keys []decode.ConcurrentKeyRep[K]) bool {
	for i := range keys {
		if keys[i].Expiry != nil {
			return true
		}
	}
	return false
}

// announced returns the keys that after accepts with an expiry, and that before, which may be nil, does not
// accept with the same one. The cost is linear in the number of keys.
func announced(before, after *decode.EnvironmentRep) (keys []decode.Key) {
	if !mayExpire(after) {
		return nil
	}
	known := acceptedBy(before)
	for _, k := range after.AcceptedKeys() {
		if !k.Expiry.IsZero() && !known[k] {
			keys = append(keys, k)
		}
	}
	return keys
}

// acceptedBy returns the keys that e accepts, if any of them may expire.
func acceptedBy(e *decode.EnvironmentRep) map[decode.Key]bool {
	if !mayExpire(e) {
		return nil
	}
	keys := e.AcceptedKeys()
	set := make(map[decode.Key]bool, len(keys))
	for _, k := range keys {
		set[k] = true
	}
	return set
}
