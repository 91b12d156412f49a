package diff

import (
	"slices"

	"github.com/relaystream/autoconfig/decode"
)

// A keyring has the keys of an environment of which at least one expires. The keys are computed once for each
// message; an environment's item is what prune leaves of it.
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

// has reports whether the item accepts k.
func (r *keyring) has(k *Key) bool { return k.Expiry.IsZero() || expiry(k) > r.pruned }

// accepts reports whether the item accepts a key, and the key has not expired by now.
func (r *keyring) accepts(key Key, now int64) bool {
	i, ok := slices.BinarySearchFunc(r.keys, key, compareKeys)
	return ok && r.has(&r.keys[i]) && (r.keys[i].Expiry.IsZero() || expiry(&r.keys[i]) > now)
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

// linger adds keys to the environment that it does not name, but that are accepted until they expire.
func (r *keyring) linger(keys []Key) {
	if len(keys) == 0 {
		return
	}
	for _, k := range keys {
		r.named.Lingering = append(r.named.Lingering, decode.ExpiringKeyRep{Value: k.SDKKey, Timestamp: expiry(&k)})
	}
	r.keys = append(r.keys, keys...)
	slices.SortFunc(r.keys, compareKeys)
}

// still reports whether named has the keys of r, all of which are in item and have not expired by now.
func (r *keyring) still(item, named *decode.EnvironmentRep, now int64) bool {
	return r != nil && r.dropped == 0 && r.next > now && sameKeys(item, named)
}

// meet compares the keys of r, which a message names, with those of before. It returns the keys that linger: SDK
// keys that have not expired yet and lost their place in the single slot. It also counts the keys that expire
// with the message: they are taken back before their time, or the message says that their time is past.
func (r *keyring) meet(before *keyring, now int64) (lingering []Key, expired int) {
	slotted := len(r.named.SDKKeys) == 0
	for k, named := range align(before.keys, r.keys) {
		switch {
		case k == nil || k.Expiry.IsZero():
		case named == nil && slotted && k.SDKKey != "" && expiry(k) > now:
			lingering = append(lingering, *k)
		case before.has(k) && (named == nil || !named.Expiry.IsZero() && expiry(named) <= now):
			expired++
		}
	}
	return lingering, expired
}
