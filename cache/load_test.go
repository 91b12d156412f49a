package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/seal"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// TestLoadIsAnObservable that keeps the contract: with a configuration, without one, and while it waits.
func TestLoadIsAnObservable(t *testing.T) {
	data := sealedState(t, testKey, state(environment("e1", 1)))
	e := environment("e1", 1)
	want := decode.Message{Kind: decode.Put, Put: &decode.Listing{
		Environments: []decode.EnvironmentEntry{{ID: "e1", Version: 1, Rep: e}}, Cached: true,
	}}
	noKey := func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	}
	waiting := &streamtest.Options{Endless: true}
	for _, test := range []struct {
		name    string
		store   *memoryStore
		key     func(context.Context) (string, error)
		want    []decode.Message
		options *streamtest.Options
	}{
		{"saved", &memoryStore{data: data}, under(testKey), []decode.Message{want}, nil},
		{"nothing", &memoryStore{}, under(testKey), nil, nil},
		{"slow store", &memoryStore{onLoad: obedient}, under(testKey), nil, waiting},
		{"no key", &memoryStore{data: data}, noKey, nil, waiting},
		{"unusable", &memoryStore{data: []byte("x")}, under(testKey), nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			streamtest.Test(t, func() stream.Observable[decode.Message] {
				test.store.t = t
				return New(test.store, nil).Load(test.key)
			}, test.want, test.options)
		})
	}
}

// TestLoadTells how much there is.
func TestLoadTells(t *testing.T) {
	var log logbook
	data := sealed(t, testKey, []byte(`{"path":"/","data":{"environments":{},"filters":{"f":{}}}}`))
	c := New(&memoryStore{t: t, data: data}, log.report)
	m, err := c.Load(under(testKey)).First(t.Context())
	if err != nil || !m.Put.Cached || c.Stats() != (Stats{Loaded: true}) || !slices.Equal(log.events, []Event{{Kind: Loaded, Filters: 1}}) {
		t.Errorf("%v, %+v, %+v", err, c.Stats(), log.events)
	}
}

// TestUnusable: whatever is wrong with what is saved is reported, and no failure. It stays as it is until a save is
// about to replace it, which sets it aside if that makes sense, once.
func TestUnusable(t *testing.T) {
	good := sealedState(t, testKey, state(environment("e1", 1)))
	edited := func(at int, by byte) []byte {
		data := slices.Clone(good)
		data[at] ^= by
		return data
	}
	for _, test := range []struct {
		name  string
		store Store
		key   func(context.Context) (string, error)
		want  error
		aside int
		load  string
		save  string
	}{
		{"damaged", &memoryStore{data: edited(len(good)-1, 1)}, under(testKey), ErrDamaged, 1, "load failed", "saved"},
		{"cut off", &memoryStore{data: good[:len(good)/2]}, under(testKey), ErrDamaged, 1, "load failed", "saved"},
		{"empty", &memoryStore{data: []byte{}}, under(testKey), ErrDamaged, 1, "load failed", "saved"},
		{"of another format", &memoryStore{data: edited(len(sealFormat.Magic), 3)}, under(testKey), ErrVersion, 1, "load failed", "saved"},
		{"under another key", &memoryStore{data: good}, under("rel-another-key"), ErrForeign, 1, "load failed", "saved"},
		{"sealed nonsense", &memoryStore{data: sealed(t, testKey, []byte("{}"))}, under(testKey), ErrDamaged, 1, "load failed", "saved"},
		{"too large", &memoryStore{onLoad: func(context.Context) error { return ErrTooLarge }}, under(testKey), ErrTooLarge, 1, "load failed", "saved"},
		{"out of reach", &memoryStore{onLoad: failing}, under(testKey), errBroken, 0, "load failed", "saved"},
		{"not to be set aside", &memoryStore{data: []byte("x"), onSetAside: failing}, under(testKey), ErrDamaged, 0, "load failed", "set aside failed, saved"},
		{"never set aside", plainStore{&memoryStore{data: []byte("x")}}, under(testKey), ErrDamaged, 0, "load failed", "saved"},
		{"none", &memoryStore{}, under(testKey), nil, 0, "not found", "saved"},
		{"of a key that failed", &memoryStore{data: good}, func(context.Context) (string, error) { return "", fs.ErrNotExist }, fs.ErrNotExist, 0, "load failed", "saved"},
		{"of an empty key", &memoryStore{data: good}, under(""), seal.ErrNoSecret, 0, "load failed", "saved"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var log logbook
				store, ok := test.store.(*memoryStore)
				if !ok {
					store = test.store.(plainStore).Store.(*memoryStore)
				}
				store.t = t
				before := store.data
				c := New(test.store, log.report)
				if n, err := c.Load(test.key).Count(t.Context()); n != 0 || err != nil {
					t.Errorf("%d messages, %v", n, err)
				}
				if stats := c.Stats(); !errors.Is(stats.LoadErr, test.want) || stats.Loaded || log.take() != test.load {
					t.Errorf("%+v", stats)
				}
				if store.aside != 0 || !bytes.Equal(store.data, before) {
					t.Error("Load has changed what is saved")
				}
				s := newSource()
				r := s.save(t.Context(), c)
				s.set(state(environment("e2", 1)))
				synctest.Wait()
				if got := log.take(); got != test.save || store.aside != test.aside || holds(t, testKey, store.data) != "e2@1" {
					t.Errorf("%s, set aside %d times, saved %s", got, store.aside, holds(t, testKey, store.data))
				}
				s.set(state(environment("e2", 2)))
				if _, err := s.finish(r); err != nil || store.aside != test.aside || log.take() != "saved" {
					t.Errorf("%v, set aside %d times in all", err, store.aside)
				}
			})
		})
	}
}

// A plainStore has no SetAside.
type plainStore struct{ Store }

// TestLoadTimesOut: a load that takes more than 10 s is given up and reported, whether it heeds that or not.
func TestLoadTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		release := make(chan struct{})
		for _, test := range []struct {
			name  string
			store *memoryStore
			took  time.Duration
		}{
			{"load", &memoryStore{onLoad: obedient}, 10 * time.Second},
			{"deaf load", &memoryStore{onLoad: deaf(release)}, 10*time.Second + grace},
		} {
			var log logbook
			test.store.t = t
			c := New(test.store, log.report)
			start := time.Now()
			n, err := c.Load(under(testKey)).Count(t.Context())
			if took := time.Since(start); n != 0 || err != nil || took != test.took || log.take() != "load failed" {
				t.Errorf("%s: %d, %v after %v", test.name, n, err, took)
			}
			if err := c.Stats().LoadErr; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		close(release)
	})
}

// TestLoadEndsWithItsContext: at the first live message, say, it returns even if the store does not. What the store
// then says interests nobody.
func TestLoadEndsWithItsContext(t *testing.T) {
	good := sealedState(t, testKey, state(environment("e1", 1)))
	late := func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}
	for name, test := range map[string]struct {
		onLoad func(release <-chan struct{}) hook
		took   time.Duration
	}{
		"obedient":       {onLoad: func(<-chan struct{}) hook { return obedient }},
		"late":           {onLoad: func(<-chan struct{}) hook { return late }},
		"deaf":           {onLoad: deaf, took: grace},
		"failing at end": {onLoad: func(<-chan struct{}) hook { return func(ctx context.Context) error { <-ctx.Done(); return ErrDamaged } }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var log logbook
				release := make(chan struct{})
				c := New(&memoryStore{t: t, data: good, onLoad: test.onLoad(release)}, log.report)
				heard := stream.Timer(time.Second)
				start := time.Now()
				n, err := stream.TakeUntil(c.Load(under(testKey)), heard).Count(t.Context())
				if took := time.Since(start); n != 0 || err != nil || took != time.Second+test.took {
					t.Errorf("%d, %v after %v", n, err, took)
				}
				stats := c.Stats()
				close(release)
				pass(time.Hour)
				if log.take() != "" || c.Stats() != stats || stats.Loaded {
					t.Errorf("%+v", c.Stats())
				}
			})
		})
	}
}

// TestNothingIsLoadedAfterTheContext: nor is the store asked.
func TestNothingIsLoadedAfterTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBroken)
		for range 100 { // a select would take either way
			store := &memoryStore{t: t, onLoad: func(context.Context) error { t.Error("a load was begun"); return nil }}
			if n, err := New(store, nil).Load(under(testKey)).Count(ctx); n != 0 || !errors.Is(err, errBroken) {
				t.Error(n, err)
			}
		}
	})
}

// TestLoadWaitsForTheKey longer than a call of the store may take.
func TestLoadWaitsForTheKey(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := New(&memoryStore{t: t, data: sealedState(t, testKey, state(environment("e1", 1)))}, nil)
		key := func(context.Context) (string, error) {
			time.Sleep(time.Hour)
			return testKey, nil
		}
		if n, err := c.Load(key).Count(t.Context()); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

// TestCallsOfTheStoreDoNotOverlap: a load that does not end holds up the saves, and neither the changes nor the end.
func TestCallsOfTheStoreDoNotOverlap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		release := make(chan struct{})
		s, store := newSource(), &memoryStore{t: t, onLoad: deaf(release)}
		c := New(store, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = c.Load(under(testKey)).Count(ctx) }()
		r := s.save(t.Context(), c)
		s.set(state(environment("e1", 1)))
		synctest.Wait()
		cancel()
		pass(time.Second)
		if len(store.times()) != 0 {
			t.Error("saved during a load")
		}
		close(release)
		synctest.Wait()
		if len(store.times()) != 1 {
			t.Error("not saved after the load")
		}
		if _, err := s.finish(r); err != nil {
			t.Error(err)
		}
	})
}

// TestLoadAfterASave does not bring back what the store held before.
func TestLoadAfterASave(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		first, second := state(environment("e1", 1)), state(environment("e1", 2))
		s, store := newSource(), &memoryStore{t: t, data: sealedState(t, testKey, first)}
		c := New(store, nil)
		key := func(context.Context) (string, error) {
			time.Sleep(time.Minute)
			return testKey, nil
		}
		go func() { _, _ = c.Load(key).Count(t.Context()) }()
		synctest.Wait()
		r := s.save(t.Context(), c)
		s.set(second)
		pass(time.Hour)
		s.set(first)
		if _, err := s.finish(r); err != nil || holds(t, testKey, store.data) != "e1@1" {
			t.Error(err, holds(t, testKey, store.data))
		}
	})
}

func TestNewWithoutAStore(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	New(nil, nil)
}

// TestNothingIsShown of the keys: neither in errors, nor in what formats a Cache or an Event.
func TestNothingIsShown(t *testing.T) {
	const secret = "sdk-99999999-secret"
	for _, content := range []string{
		`{"path":"/","data":{"environments":{"e1":{"envID":"e1","sdkKey":"` + secret + `"}}}}`,
		`{"path":"/","data":{"environments":{"e1":{"envID":"e1"}}}}` + "\n" + `{"lingering":"` + secret + `"}`,
		`{"path":"/","data":{"environments":{"e1":{"envID":"e1"}}}}` + "\n" + `{"lingering":{"e1":[{"value":"` + secret + `","timestamp":99999999.5}]}}`,
		`{"path":"/","data":{"environments":{"e1":{"envID":"e1"}}}}` + "\n" + `{"lingering":{"` + secret + `":[]}}`,
	} {
		var log logbook
		c := New(&memoryStore{t: t, data: sealed(t, testKey, []byte(content))}, log.report)
		if n, err := c.Load(under(testKey)).Count(t.Context()); n != 0 || err != nil || !errors.Is(c.Stats().LoadErr, ErrDamaged) {
			t.Errorf("%s: %d, %v, %+v", content, n, err, c.Stats())
		}
		shown := fmt.Sprintf("%v %+v %#v %v %+v %#v %v", c, c, c, log.events, log.events, log.events, c.Stats().LoadErr)
		contains(t, "what is shown", []byte(shown), testKey, secret, "99999999")
	}
}
