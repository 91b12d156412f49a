package diff

import "github.com/relaystream/autoconfig/decode"

// maxExpired is how many keys a composed change tells to have expired, so that one that waits for ever
// does not grow for ever. Past it the change stands for a deletion and an addition.
const maxExpired = 64

// Compose returns the one change that has the effect of older and then newer, which must have the
// same Subject and follow each other; ok is false if together they have none. Added and then Updated
// is Added, Deleted and then Added is Updated, Added and then Deleted is nothing, and so on.
//
// Keys that are no longer accepted are part of the effect, also if the items do not tell: an Updated that
// stands for a KeyExpired too, or for the Deleted and Added of an environment, still carries that, and
// Split returns them. So whoever receives composed changes accepts no key that is not accepted. It may
// accept less: a key that was announced to expire and lost its place in the single slot since, all within
// what is composed, is not heard of.
func Compose(older, newer Change) (c Change, ok bool) {
	if older.Kind == Synced {
		return newer, true
	}
	c = Change{Old: older.Old, New: newer.New, OldFilter: older.OldFilter, NewFilter: newer.NewFilter}
	switch {
	case older.OldFilter != nil || older.NewFilter != nil:
		c.Kind = kindOf(c.OldFilter, c.NewFilter, FilterAdded)
	case older.Kind == KeyExpired && newer.Kind == KeyExpired:
		c.Kind = KeyExpired
	default:
		c.Kind = kindOf(c.Old, c.New, EnvironmentAdded)
	}
	// Who does not know the environment yet, or no longer, need not hear of its keys.
	if c.Kind == EnvironmentUpdated || c.Kind == KeyExpired {
		c.revoke(older, newer)
	}
	return c, c.Kind != 0
}

// revoke notes in c, which is composed of older and newer, what takes keys away.
func (c *Change) revoke(older, newer Change) {
	if older.New == nil || older.anew() || newer.anew() {
		c.Key = &Key{all: true} // and only those that c.New names are accepted since
		return
	}
	c.Key = chain(chain(older.Key, replaced(older, newer)), newer.Key)
	if c.Key.count() > maxExpired {
		c.Kind, c.Key = EnvironmentUpdated, &Key{all: true}
	}
}

// replaced returns the keys that were accepted without end between older and newer, and neither before
// nor after: whoever hears of both drops them with newer. Who does not may know them from an earlier
// announcement that they will expire, which does not hold any more, and would wait for that.
func replaced(older, newer Change) *Key {
	var keys *Key
	for k := range credentials(older.New) {
		if k.expiry != 0 || k.sdk == "" && k.mobile == "" {
			continue
		}
		if _, after := lookup(newer.New, k); after {
			continue
		}
		if before, ok := lookup(older.Old, k); !ok || before.expiry != 0 {
			keys = &Key{SDKKey: k.sdk, MobileKey: k.mobile, before: keys}
		}
	}
	return keys
}

// kindOf returns the kind of change from before to after: added or one of the two that follow it.
func kindOf[T any](before, after *T, added Kind) Kind {
	switch {
	case before == nil && after == nil:
		return 0
	case before == nil:
		return added
	case after == nil:
		return added + 2
	default:
		return added + 1
	}
}

// chain returns newer with all of older behind it, each key once.
func chain(older, newer *Key) *Key {
	if newer == nil {
		return older
	}
	k := *newer
	k.before = chain(older, newer.before)
	for seen := k.before; seen != nil; seen = seen.before {
		if seen.SDKKey == k.SDKKey && seen.MobileKey == k.MobileKey {
			return k.before
		}
	}
	return &k
}

// count returns how many keys there are, with those before k.
func (k *Key) count() int {
	n := 0
	for ; k != nil; k = k.before {
		n++
	}
	return n
}

// Split calls yield with the changes that a composed change stands for, until it returns false: a Deleted
// and an Added of an environment that was not there in between; else an Updated, then a KeyExpired for
// each key that expired and is not accepted again. Any other change stands for itself.
func (c Change) Split(yield func(Change) bool) {
	switch {
	case !c.composed():
		yield(c)
		return
	case c.anew():
		_ = yield(Change{Kind: EnvironmentDeleted, Old: c.Old}) && yield(Change{Kind: EnvironmentAdded, New: c.New})
		return
	}
	before := c.Old
	if c.Kind == EnvironmentUpdated {
		if !yield(Change{Kind: EnvironmentUpdated, Old: c.Old, New: c.New}) {
			return
		}
		before = c.New
	}
	for _, key := range c.keys() {
		if accepts(c.New, key) {
			continue
		}
		if !yield(Change{Kind: KeyExpired, Old: before, New: c.New, Key: key}) {
			return
		}
		before = c.New
	}
}

// composed reports whether c stands for several changes.
func (c Change) composed() bool {
	return c.Key != nil && (c.Kind != KeyExpired || c.Key.before != nil)
}

// anew reports whether c stands for a Deleted and an Added.
func (c Change) anew() bool { return c.Key != nil && c.Key.all }

// keys returns the keys that c says have expired, in that order.
func (c Change) keys() []*Key {
	var keys []*Key
	for k := c.Key; k != nil; k = k.before {
		single := *k
		single.before = nil
		keys = append([]*Key{&single}, keys...)
	}
	return keys
}

// accepts reports whether the environment names the key.
func accepts(e *decode.EnvironmentRep, k *Key) bool {
	for named := range credentials(e) {
		if named.sdk == k.SDKKey && named.mobile == k.MobileKey {
			return true
		}
	}
	return false
}
