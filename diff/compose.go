package diff

import "github.com/relaystream/autoconfig/decode"

// Compose returns the one change that has the effect of older and then newer, which must have the
// same Subject and follow each other; ok is false if together they have none. Added and then Updated
// is Added, Deleted and then Added is Updated, Added and then Deleted is nothing, and so on.
//
// An Updated that stands for a KeyExpired too still carries it: Split returns the two of them.
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
		c.Key = chain(older.Key, newer.Key)
	}
	return c, c.Kind != 0
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

// Split calls yield with the changes that a composed change stands for, until it returns false: first
// an Updated, then a KeyExpired for each key that expired and is not accepted again. Any other change
// stands for itself.
func (c Change) Split(yield func(Change) bool) {
	if !c.composed() {
		yield(c)
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
