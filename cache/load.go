package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/snapshot"
	"github.com/relaystream/autoconfig/stream"
)

// storeTimeout is how long a call of a Store may take.
const storeTimeout = 10 * time.Second

// errNotFound reports a Store that holds nothing. It differs from fs.ErrNotExist, which a key may fail with, too.
var errNotFound = errors.New("cache: nothing is saved")

// Load returns the saved configuration as a source: each subscription loads it, waits for key, and yields at most
// one message, a Put that is Cached. Then it completes. It does not fail: it yields nothing if there is no usable
// configuration, and reports why. It changes nothing in the Store: data that can't be used stays until a Save is about
// to replace it, so that a wrong key loses nothing. key returns the auto-configuration key, once there is one; it
// should return when its context ends, as that of the subscription does.
func (c *Cache) Load(key func(context.Context) (string, error)) stream.Observable[decode.Message] {
	if c == nil {
		return stream.Empty[decode.Message]()
	}
	return func(ctx context.Context, yield func(decode.Message) bool) error {
		version := c.present()
		put, err := c.load(ctx, version, key)
		switch {
		case ctx.Err() != nil: // nobody waits for it any more
			return context.Cause(ctx)
		case err != nil:
			c.found(version, mark{}, isUnusable(err))
			c.notLoaded(err)
			return nil
		}
		c.tell(Event{Kind: Loaded, Environments: len(put.Environments), Filters: len(put.Filters)})
		yield(decode.Message{Kind: decode.Put, Put: put})
		return nil
	}
}

func (c *Cache) load(ctx context.Context, version uint64, key func(context.Context) (string, error)) (*decode.Listing, error) {
	sealed, err := c.call(ctx, c.store.Load)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, err
	}
	k, err := key(ctx)
	if err != nil {
		return nil, fmt.Errorf("cache: key: %w", err)
	}
	text, err := unsealSnapshot(k, sealed)
	if err != nil {
		return nil, err
	}
	c.found(version, c.markOf(text, k), false)
	put, err := snapshot.Decode(ctx, text)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return put, err
}

// call makes a call of the store other than a save.
func (c *Cache) call(ctx context.Context, f func(context.Context) ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return c.turn.do(ctx, f)
}

// notLoaded reports why nothing is yielded.
func (c *Cache) notLoaded(err error) {
	if err == errNotFound {
		c.tell(Event{Kind: NotFound})
	} else {
		c.tell(Event{Kind: LoadFailed, Err: err})
	}
}

// isUnusable reports whether err says that the store holds data that can't be used.
func isUnusable(err error) bool {
	unusable := []error{ErrDamaged, ErrForeign, ErrVersion, ErrTooLarge}
	return slices.ContainsFunc(unusable, func(reason error) bool { return errors.Is(err, reason) })
}
