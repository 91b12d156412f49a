package diff

import (
	"context"

	"github.com/relaystream/autoconfig/stream"
)

// Split passes composed changes on as those that they stand for; see Change.Split. It is what makes
// changes that were merged by Compose, while they waited for a slow subscriber, ordinary ones again, and
// must stand between them and whoever accepts keys.
func Split(changes stream.Observable[Change]) stream.Observable[Change] {
	return func(ctx context.Context, yield func(Change) bool) error {
		return changes(ctx, func(c Change) bool {
			if !c.composed() {
				return yield(c)
			}
			more := true
			c.Split(func(part Change) bool {
				more = yield(part)
				return more
			})
			return more
		})
	}
}

// Merge is Compose in the form of a stream.Coalesce policy over Change.Subject. Changes are merged
// at the place of the older one, so that a Synced stays behind what it covers.
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
