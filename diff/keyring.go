package diff

import (
	"slices"

	"github.com/relaystream/autoconfig/decode"
)

// A keyring has the keys of an environment of which at least one expires. They are computed only when a message
// changes them. The item of the environment is what prune returns.
type keyring struct {
	// named is the environment as the last message named it, with the keys that linger.
	named *decode.EnvironmentRep
	// keys are those that named accepts, sorted. They are never modified.
	keys []Key

	pruned  int64 // when prune was called last, as all times here in Unix ms
	dropped int64 // the latest expiry of the keys that prune has dropped; 0 if there are none
	next    int64 // the earliest expiry of the others; 0 if none expires
	pending int   // how many will expire
	index   int   // in the schedule, if next is not 0
}

// newKeyring returns the keyring of an environment as a message names it. In a saved configuration some keys may
// linger. The keyring has yet to be pruned.
func newKeyring(named *decode.EnvironmentRep, now int64) keyring {
	settled := settle(named)
	r := keyring{named: settled, keys: sortedKeys(nil, settled)}
	if len(named.Lingering) > 0 {
		r.meet(&keyring{keys: sortedKeys(nil, &decode.EnvironmentRep{Lingering: named.Lingering})}, now)
	}
	return r
}

// has reports whether the item accepts k.
func (r *keyring) has(k *Key) bool { return !past(k, r.pruned) }

// expired reports whether a key that the item accepts has expired by now.
func (r *keyring) expired(key Key, now int64) bool {
	i, ok := slices.BinarySearchFunc(r.keys, key, compareKeys)
	return ok && past(&r.keys[i], now)
}

// prune returns the environment without the keys that have expired by now.
func (r *keyring) prune(now int64) *decode.EnvironmentRep {
	r.pruned, r.dropped, r.next, r.pending = now, 0, 0, 0
	for i := range r.keys {
		switch at := expiry(&r.keys[i]); {
		case at == 0:
		case at <= now:
			r.dropped = max(r.dropped, at)
		default:
			r.pending++
			if r.next == 0 || at < r.next {
				r.next = at
			}
		}
	}
	if r.dropped == 0 {
		return r.named
	}
	return without(r.named, func(k Key) bool {
		i, ok := slices.BinarySearchFunc(r.keys, k, compareKeys)
		return ok && !r.has(&r.keys[i])
	})
}

// still reports whether a message names the same keys again, those that linger aside, and no key has expired by
// now.
func (r *keyring) still(item, named *decode.EnvironmentRep, now int64) bool {
	return r != nil && r.dropped == 0 && r.next > now && sameNamed(item, named) &&
		(len(named.Lingering) == 0 || sameList(item.Lingering, named.Lingering))
}

// meet compares the keys of r, which a message names, with those of before. It adds to r those that linger: SDK
// keys that have not expired yet and lost their place in the single slot. It returns how many keys expire with the
// message: they are taken back before their time, or the message says that their time is past.
func (r *keyring) meet(before *keyring, now int64) (expired int) {
	slotted := len(r.named.SDKKeys) == 0
	var lingering []Key
	for i, j := range align(before.keys, r.keys) {
		if i < 0 || before.keys[i].Expiry.IsZero() {
			continue
		}
		switch k := &before.keys[i]; {
		case j < 0 && slotted && k.SDKKey != "" && expiry(k) > now:
			if lingering == nil {
				lingering = make([]Key, 0, max(before.pending, 1))
			}
			lingering = append(lingering, *k)
		case before.has(k) && (j < 0 || past(&r.keys[j], now)):
			expired++
		}
	}
	r.linger(lingering)
	return expired
}

// linger adds sorted keys that the message does not name, but that are accepted until they expire.
func (r *keyring) linger(keys []Key) {
	if len(keys) == 0 {
		return
	}
	lingering := slices.Grow(slices.Clip(r.named.Lingering), len(keys))
	for i := range keys {
		lingering = append(lingering, decode.ExpiringKeyRep{Value: keys[i].SDKKey, Timestamp: expiry(&keys[i])})
	}
	r.named = withLingering(r.named, lingering)
	all := make([]Key, 0, len(r.keys)+len(keys))
	for i, j := range align(r.keys, keys) {
		if i >= 0 {
			all = append(all, r.keys[i])
		} else {
			all = append(all, keys[j])
		}
	}
	r.keys = all
}
