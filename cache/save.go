package cache

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/snapshot"
	"github.com/relaystream/autoconfig/stream"
)

const (
	// saveInterval is the time between two saves.
	saveInterval = time.Second
	// retryInterval is the time between a failed save and the next one.
	retryInterval = time.Minute
)

// Save saves the configuration that snapshot returns whenever changed has a value, at most once a second, and for
// the last time when changed has ended. Save then returns. The changes themselves do not matter, so changed may
// drop any but the last. A save that fails is reported and repeated after a minute, or at the end.
//
// snapshot returns the changes that make the configuration from nothing, as diff.State.Snapshot does. What it
// returns is not saved before a Synced that is not Cached is part of it. key returns the auto-configuration key to
// seal under. Another key is a reason to save the same configuration again, at the next change or at
// the end. Both are called on the goroutine that called Save, and should return quickly.
//
// If the last Load found data that can't be used, Save has it set aside before it replaces it, if the Store can do
// that. It saves whether that succeeds or not.
//
// When ctx ends, Save begins nothing new and returns. The error matches ErrNotSaved if the last configuration
// is not saved, whatever the reason. Otherwise it is what changed returned.
//
// changed is subscribed to on a goroutine of its own, which never waits for the Store.
func (c *Cache) Save(
	ctx context.Context, changed stream.Observable[diff.Change], snapshot func() []diff.Change, key func() string,
) error {
	if c == nil {
		return nil
	}
	s := &saver{cache: c, snapshot: snapshot, key: key, wake: make(chan struct{}, 1), final: make(chan struct{})}
	s.pending.Store(true) // there may be a configuration before the first change
	following, unfollow := context.WithCancel(ctx)
	var follower sync.WaitGroup
	defer follower.Wait() // also after a panic
	defer unfollow()
	var ended error
	follower.Go(func() {
		defer close(s.final)
		ended = changed(following, func(diff.Change) bool {
			s.note()
			return true
		})
	})
	err := s.run(ctx) // which waits for final
	return cmp.Or(err, ended)
}

// A saver is one call of Save.
//
// Concurrency: the goroutine that follows the changes only calls note and, at last, closes final. All else is for
// the goroutine that called Save.
type saver struct {
	cache    *Cache
	snapshot func() []diff.Change
	key      func() string
	pending  atomic.Bool   // something may have changed since the last snapshot, or that was not saved
	wake     chan struct{} // gets a token when pending is set
	final    chan struct{} // closed when no more changes can come
}

// note sets pending and leaves a token, which a saver that pauses takes afterwards.
func (s *saver) note() {
	s.pending.Store(true)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run saves what changes until no more changes can come, and then what is left.
func (s *saver) run(ctx context.Context) error {
	for proceed(s.wake, s.final) {
		pause := saveInterval
		if err := s.save(ctx); err != nil {
			if ctx.Err() != nil {
				break // the end reports it
			}
			s.cache.tell(Event{Kind: SaveFailed, Err: err})
			pause = retryInterval
		}
		if !proceed(time.After(pause), s.final) {
			break
		}
	}
	<-s.final
	err := s.save(ctx)
	if err == nil {
		return nil
	}
	s.cache.tell(Event{Kind: SaveFailed, Err: err})
	return fmt.Errorf("%w: %w", ErrNotSaved, err)
}

// proceed waits for ch, and reports false as soon as final is closed.
func proceed[T any](ch <-chan T, final <-chan struct{}) bool {
	select {
	case <-ch:
	case <-final:
	}
	select {
	case <-final: // select may have had the choice
		return false
	default:
		return true
	}
}

// save saves the configuration, if it is the server's and not saved yet.
func (s *saver) save(ctx context.Context) error {
	pending, key := s.pending.Swap(false), s.key()
	if !pending && s.cache.holdsUnder(key) {
		return nil
	}
	changes := s.snapshot()
	event, complete := summarize(changes)
	if !complete {
		return nil
	}
	stored, err := s.store(ctx, changes, key)
	if err != nil {
		s.note()
		return err
	}
	if stored {
		s.cache.tell(event)
	}
	return nil
}

// summarize returns the event that reports a configuration as saved, and whether the server has completed it.
func summarize(changes []diff.Change) (e Event, complete bool) {
	e.Kind = Saved
	for _, c := range changes {
		switch c.Kind {
		case diff.EnvironmentAdded:
			e.Environments++
		case diff.FilterAdded:
			e.Filters++
		case diff.Synced:
			complete = !c.Cached
		}
	}
	return e, complete
}

// store encodes, seals and saves the configuration, unless the Store holds it already.
func (s *saver) store(ctx context.Context, changes []diff.Change, key string) (stored bool, err error) {
	c := s.cache
	text, err := snapshot.Encode(ctx, changes)
	if err != nil {
		return false, err
	}
	m := c.markOf(text, key)
	if c.holds(m) {
		return false, nil
	}
	data, err := sealSnapshot(key, text)
	if err != nil {
		return false, err
	}
	c.setAside(ctx)
	ctx, cancel := s.limit(ctx)
	defer cancel()
	_, err = c.turn.do(ctx, func(ctx context.Context) ([]byte, error) {
		c.changing()
		return nil, c.store.Save(ctx, data)
	})
	if err != nil {
		return false, err
	}
	c.saved(m)
	return true, nil
}

// setAside has data set aside that can't be used, if there is any and the store can do that.
func (c *Cache) setAside(ctx context.Context) {
	store, ok := c.store.(interface {
		SetAside(ctx context.Context) error
	})
	if !ok || !c.holdsUnusable() {
		return
	}
	_, err := c.call(ctx, func(ctx context.Context) ([]byte, error) {
		c.changing()
		return nil, store.SetAside(ctx)
	})
	if err != nil && ctx.Err() == nil {
		c.tell(Event{Kind: SetAsideFailed, Err: err})
	}
}

// limit returns a context that ends after storeTimeout, unless no more changes can come by then: the last save, even
// one that has begun before it was known to be the last, may take as long as ctx does.
func (s *saver) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(storeTimeout, func() {
		select {
		case <-s.final:
		default:
			cancel(context.DeadlineExceeded)
		}
	})
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}
