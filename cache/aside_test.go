package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// loadUnusable has c load data that it can't use.
func loadUnusable(t *testing.T, c *Cache) {
	t.Helper()
	if n, err := c.Load(under(testKey)).Count(t.Context()); n != 0 || err != nil || !errors.Is(c.Stats().LoadErr, ErrDamaged) {
		t.Fatalf("%d, %v, %+v", n, err, c.Stats())
	}
}

// TestSlowSetAside is given up after 10 s, and the save follows.
func TestSlowSetAside(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log logbook
		s, store := newSource(), &memoryStore{t: t, data: []byte("x"), onSetAside: obedient}
		c := New(store, log.report)
		loadUnusable(t, c)
		r := s.save(t.Context(), c)
		s.set(state(environment("e1", 1)))
		start := time.Now()
		if took, err := s.finish(r); err != nil || took != 10*time.Second || log.take() != "load failed, set aside failed, saved" {
			t.Errorf("%v after %v", err, took)
		}
		if len(store.saves) != 1 || store.saves[0].Sub(start) != 10*time.Second {
			t.Error(store.saves)
		}
	})
}

// TestSetAsideEndsWithTheContext of Save: nothing is saved and nothing follows, even if the store ignores its context.
func TestSetAsideEndsWithTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		release := make(chan struct{})
		for _, test := range []struct {
			onSetAside hook
			took       time.Duration
		}{{obedient, 0}, {deaf(release), grace}} {
			var log logbook
			s, store := newSource(), &memoryStore{t: t, data: []byte("x"), onSetAside: test.onSetAside}
			c := New(store, log.report)
			loadUnusable(t, c)
			ctx, cancel := context.WithCancelCause(t.Context())
			r := s.save(ctx, c)
			s.set(state(environment("e1", 1)))
			synctest.Wait()
			cancel(errBroken)
			if took, err := r.end(); !errors.Is(err, ErrNotSaved) || !errors.Is(err, errBroken) || took != test.took {
				t.Errorf("%v after %v", err, took)
			}
			if got := log.take(); got != "load failed, save failed" || len(store.times()) > 0 {
				t.Error(got, store.times())
			}
		}
		close(release)
	})
}

// TestNothingIsSetAsideAfterTheContext: a context that ends while the configuration is encoded.
func TestNothingIsSetAsideAfterTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, store := newSource(), &memoryStore{t: t, data: []byte("x")}
		c := New(store, nil)
		loadUnusable(t, c)
		s.set(state())
		ctx, cancel := context.WithCancel(t.Context())
		key := func() string {
			cancel()
			return testKey
		}
		err := c.Save(ctx, stream.Just(diff.Change{}), s.snapshot, key)
		if !errors.Is(err, ErrNotSaved) || store.aside != 0 || string(store.data) != "x" {
			t.Errorf("%v, set aside %d times", err, store.aside)
		}
	})
}

// TestOnlyWhatTheLastLoadFoundIsSetAside: not what has been replaced since, or what a later load could use.
func TestOnlyWhatTheLastLoadFoundIsSetAside(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			before func(c *Cache, store *memoryStore, key chan string)
			aside  int
		}{
			"unusable at last": {func(c *Cache, store *memoryStore, key chan string) {
				store.data = sealedState(t, testKey, state(environment("e1", 1)))
				_, _ = c.Load(under(testKey)).Count(t.Context())
				store.data = []byte("x")
				loadUnusable(t, c)
			}, 1},
			"usable at last": {func(c *Cache, store *memoryStore, key chan string) {
				loadUnusable(t, c)
				store.data = sealedState(t, testKey, state(environment("e1", 1)))
				_, _ = c.Load(under(testKey)).Count(t.Context())
			}, 0},
			"gone at last": {func(c *Cache, store *memoryStore, key chan string) {
				loadUnusable(t, c)
				store.data = nil
				_, _ = c.Load(under(testKey)).Count(t.Context())
			}, 0},
			"replaced during the load": {func(c *Cache, store *memoryStore, key chan string) {
				go func() {
					_, _ = c.Load(func(context.Context) (string, error) { return <-key, nil }).Count(t.Context())
				}()
				synctest.Wait()
				s := newSource()
				r := s.save(t.Context(), c)
				s.set(state(environment("e1", 1)))
				if _, err := s.finish(r); err != nil {
					t.Error(err)
				}
				key <- "rel-another-key"
				synctest.Wait()
			}, 0},
		} {
			store, key := &memoryStore{t: t, data: []byte("x")}, make(chan string)
			c := New(store, nil)
			test.before(c, store, key)
			s := newSource()
			r := s.save(t.Context(), c)
			s.set(state(environment("e1", 2)))
			if _, err := s.finish(r); err != nil || store.aside != test.aside || holds(t, testKey, store.data) != "e1@2" {
				t.Errorf("%s: %v, set aside %d times", name, err, store.aside)
			}
		}
	})
}

// TestWrongKeyLosesNothing, because what the server rejects is never saved: the right key finds the file as it was.
func TestWrongKeyLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newTestFile(t)
		f.save(string(sealedState(t, testKey, state(environment("e1", 1)))))
		c := New(f, nil)
		if n, err := c.Load(under("rel-mistyped")).Count(t.Context()); n != 0 || err != nil || !errors.Is(c.Stats().LoadErr, ErrForeign) {
			t.Errorf("%d, %v, %+v", n, err, c.Stats())
		}
		s := newSource()
		r := s.save(t.Context(), c)
		if _, err := s.finish(r); err != nil {
			t.Error(err)
		}
		f.holds("config.cache")
		m, err := New(f, nil).Load(under(testKey)).First(t.Context())
		if err != nil || len(m.Put.Environments) != 1 {
			t.Error(err)
		}
	})
}
