package diff

import (
	"context"

	"github.com/relaystream/autoconfig/stream"
)

// Compose returns the one change that has the effect of older followed by newer. They must have the same
// Subject, and newer must be the next change of it. If together they have no effect, ok is false. Added and then
// Updated is Added, Deleted and then Added is Updated, Added and then Deleted is nothing, and so on.
//
// Changes must be composed before they are split: which keys expire follows from the items of the result, and
// of the changes that Split yields, only the first has items that differ.
func Compose(older, newer Change) (c Change, ok bool) {
	if older.Kind == Synced {
		return newer, true
	}
	c = Change{
		Old: older.Old, New: newer.New,
		OldFilter: older.OldFilter, NewFilter: newer.NewFilter,
		Version: newer.Version, Omitted: newer.Omitted,
	}
	switch {
	case older.OldFilter != nil || older.NewFilter != nil:
		c.Kind = kindOf(c.OldFilter, c.NewFilter, FilterAdded)
	case older.Kind == KeyExpired && newer.Kind == KeyExpired:
		c.Kind = KeyExpired
	default:
		c.Kind = kindOf(c.Old, c.New, EnvironmentAdded)
	}
	c.several = c.Kind == KeyExpired || c.Kind == EnvironmentUpdated && mayExpire(c.Old)
	return c, c.Kind != 0
}

// kindOf returns the kind of the change from before to after: added, or Updated or Deleted, which follow it.
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

// Merge is Compose for stream.Coalesce, with Change.Subject as the key. The merged change takes the place of the
// older one, and Synced that of the newer one, so that a Synced stays behind what it covers.
func Merge(older, newer Change) (Change, stream.Place) {
	if newer.Kind == Synced {
		return newer, stream.AtNewer
	}
	c, ok := Compose(older, newer)
	if !ok {
		return c, stream.Nowhere
	}
	return c, stream.AtOlder
}

// Split calls yield with the individual changes that c stands for, until it returns false. A change that a
// State emits, or that was composed, may stand for several:
//
//   - An EnvironmentUpdated stands for itself, and then for a KeyExpired for each key that expired.
//   - A KeyExpired without a Key stands for a KeyExpired for each key that expired.
//   - Any other change stands for itself.
//
// The keys that expired are those that Old accepts with an expiry and New does not accept. They come in the
// order of their expiry. The first change that Split yields has the Old and the New of c. The others have the
// New of c as both, because it already lacks all of these keys.
//
// Split sorts the keys of both items once. It does not allocate if there are only a few and none expired.
func (c Change) Split(yield func(Change) bool) {
	if !c.composed() {
		yield(c)
		return
	}
	keys := expired(c.Old, c.New)
	before := c.Old
	if c.Kind == EnvironmentUpdated || len(keys) == 0 {
		if !yield(Change{Kind: EnvironmentUpdated, Old: c.Old, New: c.New}) {
			return
		}
		before = c.New
	}
	for i := range keys {
		if !yield(Change{Kind: KeyExpired, Old: before, New: c.New, Key: &keys[i]}) {
			return
		}
		before = c.New
	}
}

// composed reports whether Split has something to do.
func (c *Change) composed() bool { return c.several || c.Kind == KeyExpired && c.Key == nil }

// Split passes on the individual changes that changes stand for; see Change.Split. It belongs after every
// operator that merges changes, and before whatever handles each KeyExpired.
func Split(changes stream.Observable[Change]) stream.Observable[Change] {
	return func(ctx context.Context, yield func(Change) bool) error {
		var ended error
		err := changes(ctx, func(c Change) bool {
			if !c.composed() {
				return yield(c)
			}
			for part := range c.Split {
				if ended = context.Cause(ctx); ended != nil || !yield(part) {
					return false
				}
			}
			return true
		})
		if ended != nil {
			return ended
		}
		return err
	}
}
