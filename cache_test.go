package autoconfig_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

// A memoryCache is a Cache in memory. A hook, if there is one, is called at the beginning of a call,
// and an error of its is what the call returns.
type memoryCache struct {
	onLoad, onSave func(context.Context) error

	mu    sync.Mutex
	data  []byte
	saves []time.Time
	aside int
}

func (m *memoryCache) Load(ctx context.Context) ([]byte, error) {
	if m.onLoad != nil {
		if err := m.onLoad(ctx); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data == nil {
		return nil, fs.ErrNotExist
	}
	return m.data, nil
}

func (m *memoryCache) Save(ctx context.Context, data []byte) error {
	if m.onSave != nil {
		if err := m.onSave(ctx); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data, m.saves = data, append(m.saves, time.Now())
	return nil
}

func (m *memoryCache) SetAside(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data, m.aside = nil, m.aside+1
	return nil
}

func (m *memoryCache) times() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.saves)
}

// patient waits for the end of the context, and deaf for the test to say so.
func patient(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func deaf(release <-chan struct{}) func(context.Context) error {
	return func(context.Context) error {
		<-release
		return nil
	}
}

// with returns options for a client of the server with the cache.
func with(cache autoconfig.Cache, s *autoconfigtest.Server) *autoconfig.Options {
	o := to(s)
	o.Cache = cache
	return o
}

// savedBy returns what a client saves of the server's configuration.
func savedBy(t *testing.T, srv *autoconfigtest.Server) []byte {
	t.Helper()
	var cache memoryCache
	c := open(t, with(&cache, srv))
	defer c.Close()
	synctest.Wait()
	if cache.data == nil {
		t.Fatal("nothing was saved")
	}
	return cache.data
}

// savedUnder returns what a client of another server saves, which takes this key.
func savedUnder(t *testing.T, key autoconfig.AutoConfigKey) []byte {
	t.Helper()
	srv := autoconfigtest.NewPipeServer(string(key))
	defer srv.Close()
	srv.Put(listing(environment("e1", 1)))
	var cache memoryCache
	c, err := autoconfig.Open(t.Context(), key, with(&cache, srv))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	synctest.Wait()
	return cache.data
}

// closing returns how long Close takes.
func closing(c *autoconfig.Client) time.Duration {
	start := time.Now()
	c.Close()
	return time.Since(start)
}

// inventory describes a configuration.
func inventory(s autoconfig.Snapshot) string {
	var b strings.Builder
	for _, e := range s.Environments {
		fmt.Fprintf(&b, "%s@%d ", string(e.EnvID), e.Version)
	}
	for _, f := range s.Filters {
		fmt.Fprintf(&b, "%s@%d ", string(f.ID), f.Version)
	}
	fmt.Fprintf(&b, "synced=%t cached=%t", s.Synced, s.Cached)
	return b.String()
}

// TestCacheServesUntilTheServerDoes: the server hangs at first. What it finally says is compared with
// what was saved.
func TestCacheServesUntilTheServerDoes(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1), environment("e2", 1)))
		srv.PatchFilter("f1", autoconfig.FilterRep{Version: 1})
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Patch(environment("e2", 2))
		srv.DeleteFilter("f1", 2)
		srv.Next(autoconfigtest.Hang())

		c := open(t, with(cache, srv))
		defer c.Close()
		changes := watch(c.Changes())
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := describe(changes.take())
		slices.Sort(got[:2]) // the server sends them in any order
		expect(t, "before the server speaks", got,
			"environment added: e1 (Project Env e1) version 1",
			"environment added: e2 (Project Env e2) version 1",
			"filter added: f1 ( ) version 1",
			"synced from cache")
		status := c.Stats().Status
		if status.State != autoconfig.Initializing || !status.Cached || !c.Snapshot().Cached || !c.Stats().Cache.Loaded {
			t.Errorf("%+v", c.Stats())
		}
		pass(30 * time.Second) // the attempt that hangs is given up, another one succeeds
		expect(t, "when it has", describe(changes.take()),
			"environment updated: e2 (Project Env e2) version 2",
			"filter deleted: f1 ( ) version 1",
			"synced")
		status = c.Stats().Status
		if status.State != autoconfig.Valid || status.Cached || c.Snapshot().Cached {
			t.Errorf("%+v", c.Stats())
		}
		c.Close()
		if err := changes.end(); err != nil {
			t.Error(err)
		}
	})
}

// TestCacheKeepsServingARejectedKey: with what was saved under it, a key is good while it is rejected.
func TestCacheKeepsServingARejectedKey(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Next(autoconfigtest.Status(http.StatusUnauthorized), autoconfigtest.Status(http.StatusForbidden))
		c := open(t, with(cache, srv))
		defer c.Close()
		pass(time.Minute)
		status := c.Stats().Status
		if err := c.Ready(t.Context()); err != nil || !status.Cached || status.Code != http.StatusUnauthorized || status.State != autoconfig.Initializing {
			t.Errorf("%v, %+v", err, status)
		}
		if got := inventory(c.Snapshot()); got != "e1@1 synced=true cached=true" {
			t.Error(got)
		}
		pass(20 * time.Minute)
		if got := inventory(c.Snapshot()); got != "e1@1 synced=true cached=false" {
			t.Error(got)
		}
	})
}

// TestServerQuickerThanCache: the server's first put wins, whether the load heeds its context or not.
func TestServerQuickerThanCache(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("gone", 1)))
		old := savedBy(t, srv)
		srv.Put(listing(environment("e1", 1)))
		release := make(chan struct{})
		for name, onLoad := range map[string]func(context.Context) error{"patient": patient, "deaf": deaf(release)} {
			cache := &memoryCache{data: old, onLoad: onLoad}
			c := open(t, with(cache, srv))
			changes := watch(c.Changes())
			synctest.Wait()
			if name == "deaf" {
				if len(cache.times()) > 0 {
					t.Error("saved while the load was under way")
				}
				close(release)
				synctest.Wait()
			}
			expect(t, name, describe(changes.take()), "environment added: e1 (Project Env e1) version 1", "synced")
			if stats := c.Stats().Cache; stats.Loaded || stats.LoadErr != nil || stats.Saves != 1 {
				t.Errorf("%s: %+v", name, stats)
			}
			c.Close()
		}
	})
}

// TestPatchQuickerThanCache: what the server has said is not undone by what was saved before, even if it
// has not said everything yet.
func TestPatchQuickerThanCache(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		release := make(chan struct{})
		cache := &memoryCache{data: savedBy(t, srv), onLoad: deaf(release)}
		srv.Next(body(event("patch", `{"path":"/environments/e2","data":`+jsonOf(environment("e2", 1))+`}`)))
		c := open(t, with(cache, srv))
		defer c.Close()
		changes := watch(c.Changes())
		synctest.Wait()
		close(release)
		expect(t, "before the put", describe(changes.take()), "environment added: e2 (Project Env e2) version 1")
		if stats := c.Stats().Cache; stats.Loaded || stats.LoadErr != nil || stats.Saves != 0 {
			t.Errorf("%+v", stats)
		}
		pass(time.Second)
		if got := inventory(c.Snapshot()); got != "e1@1 synced=true cached=false" {
			t.Errorf("after the put: %s", got)
		}
	})
}

// TestLoadThatDoesNotReturn holds up neither the stream nor, for long, Close.
func TestLoadThatDoesNotReturn(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		release := make(chan struct{})
		defer close(release)
		srv.Put(listing(environment("e1", 1)))
		c := open(t, with(&memoryCache{onLoad: deaf(release)}, srv))
		if err := c.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		if took := closing(c); took != 100*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestLoadTimesOut: a load that takes more than 10 s is given up and reported.
func TestLoadTimesOut(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Hang(), autoconfigtest.Hang())
		c := open(t, with(&memoryCache{onLoad: patient}, srv))
		defer c.Close()
		pass(10*time.Second - 1)
		if err := c.Stats().Cache.LoadErr; err != nil {
			t.Error("too early:", err)
		}
		pass(1)
		if err := c.Stats().Cache.LoadErr; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		// Close ends one, too, at once.
		another := open(t, with(&memoryCache{onLoad: patient}, srv))
		synctest.Wait()
		if took := closing(another); took != 0 {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestCacheWaitsForTheKey: the one of the first attempt that has one opens what was saved.
func TestCacheWaitsForTheKey(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Next(autoconfigtest.Hang())
		o := with(cache, srv)
		calls := 0
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) {
			if calls++; calls < 8 { // longer than a call of the cache may take
				return "", errors.New("not yet")
			}
			return testKey, nil
		}
		c, err := autoconfig.Open(t.Context(), "", o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		if err := c.Ready(t.Context()); err != nil || !c.Snapshot().Cached || time.Since(start) < 15*time.Second {
			t.Error(err, c.Snapshot().Cached, time.Since(start))
		}
	})
}

// TestUnusableCache: whatever is wrong with the saved configuration is reported, set aside, and no
// reason to fail.
func TestUnusableCache(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		good := savedBy(t, srv)
		edited := func(at int, by byte) []byte {
			data := slices.Clone(good)
			data[at] ^= by
			return data
		}
		broken := errors.New("broken")
		foreign := savedUnder(t, "rel-another-key-0000")
		for _, test := range []struct {
			why   string
			cache *memoryCache
			want  error
			aside int
		}{
			{"damaged", &memoryCache{data: edited(len(good)-1, 1)}, autoconfig.ErrCacheDamaged, 1},
			{"cut off", &memoryCache{data: good[:len(good)/2]}, autoconfig.ErrCacheDamaged, 1},
			{"too large", &memoryCache{onLoad: func(context.Context) error { return autoconfig.ErrCacheTooLarge }}, autoconfig.ErrCacheTooLarge, 1},
			{"empty", &memoryCache{data: []byte{}}, autoconfig.ErrCacheDamaged, 1},
			{"of another format", &memoryCache{data: edited(len("autoconfig-snapshot"), 3)}, autoconfig.ErrCacheVersion, 1},
			{"under another key", &memoryCache{data: foreign}, autoconfig.ErrCacheForeign, 1},
			{"out of reach", &memoryCache{onLoad: func(context.Context) error { return broken }}, broken, 0},
			{"none", &memoryCache{}, nil, 0},
		} {
			var log logbook
			o := with(test.cache, srv)
			o.Logger = log.logger()
			srv.Next(autoconfigtest.Status(http.StatusServiceUnavailable))
			c := open(t, o)
			synctest.Wait()
			stats := c.Stats().Cache
			if !errors.Is(stats.LoadErr, test.want) || stats.Loaded || test.cache.aside != test.aside {
				t.Errorf("%s: %+v, set aside %d times", test.why, stats, test.cache.aside)
			}
			warned := slices.ContainsFunc(log.take(), func(r slog.Record) bool {
				err, _ := attr(r, "error").(error)
				return r.Level == slog.LevelWarn && test.want != nil && errors.Is(err, test.want)
			})
			if warned != (test.want != nil) {
				t.Errorf("%s: warned: %t", test.why, warned)
			}
			pass(time.Minute)
			if stats := c.Stats().Cache; stats.Saves != 1 || len(test.cache.data) != len(good) {
				t.Errorf("%s: %+v", test.why, stats)
			}
			c.Close()
		}
	})
}

// TestSavesAreAtMostOneASecond, however much changes, and the last state is among them.
func TestSavesAreAtMostOneASecond(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing())
		var cache memoryCache
		c := open(t, with(&cache, srv))
		defer c.Close()
		pass(0)
		for version := range 100 {
			srv.Patch(environment("e1", version))
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		saves := cache.times()
		for i := 1; i < len(saves); i++ {
			if gap := saves[i].Sub(saves[i-1]); gap < time.Second {
				t.Errorf("two saves within %v", gap)
			}
		}
		if len(saves) != 11 || c.Stats().Cache.Saves != 11 {
			t.Errorf("%d saves in 10 s and at the end", len(saves))
		}
		srv.Patch(environment("e1", 99)) // stale
		srv.Heartbeat()
		pass(time.Hour)
		c.Close()
		if n := len(cache.times()) - len(saves); n > 0 {
			t.Errorf("%d saves of what was saved already", n)
		}
		expectCached(t, cache.data, "e1@99 synced=true cached=true")
	})
}

// expectCached compares what a client without a server has, that begins with the data.
func expectCached(t *testing.T, data []byte, want string) {
	t.Helper()
	srv := autoconfigtest.NewPipeServer(testKey)
	defer srv.Close()
	c := open(t, with(&memoryCache{data: data}, srv))
	defer c.Close()
	synctest.Wait()
	if got := inventory(c.Snapshot()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCloseSavesTheRest: what has changed since the last save is saved by Close, in no time if the
// cache takes none.
func TestCloseSavesTheRest(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		var cache memoryCache
		c := open(t, with(&cache, srv))
		synctest.Wait()
		srv.Patch(environment("e1", 2))
		srv.Patch(environment("e2", 1))
		synctest.Wait()
		if len(cache.times()) != 1 {
			t.Error(cache.times())
		}
		if took := closing(c); took != 0 || c.Stats().Cache.Saves != 2 {
			t.Errorf("Close took %v, %+v", took, c.Stats().Cache)
		}
		expectCached(t, cache.data, "e1@2 e2@1 synced=true cached=true")
	})
}

// TestSaveThatDoesNotReturn holds up neither the stream nor, for long, Close.
func TestSaveThatDoesNotReturn(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		release := make(chan struct{})
		defer close(release)
		srv.Put(listing())
		for _, test := range []struct {
			onSave func(context.Context) error
			close  time.Duration
		}{{patient, 80 * time.Millisecond}, {deaf(release), 100 * time.Millisecond}} {
			c := open(t, with(&memoryCache{onSave: test.onSave}, srv))
			for version := range 50 {
				srv.Patch(environment("e1", version))
				synctest.Wait()
				if got := c.Snapshot().Environments; len(got) != 1 || got[0].Version != version {
					t.Error(got)
				}
			}
			if took := closing(c); took != test.close {
				t.Errorf("Close took %v, want %v", took, test.close)
			}
			srv.Put(listing())
		}
	})
}

// TestSaveIsRepeated after a failure, a minute later, or when it has taken 10 s.
func TestSaveIsRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing(environment("e1", 1)))
		full := errors.New("disk full")
		var begun []time.Time
		cache := &memoryCache{}
		cache.onSave = func(ctx context.Context) error {
			switch begun = append(begun, time.Now()); len(begun) {
			case 1:
				return full
			case 2:
				return patient(ctx)
			}
			return nil
		}
		c := open(t, with(cache, srv))
		defer c.Close()
		pass(time.Second)
		if stats := c.Stats().Cache; stats.Failures != 1 || !errors.Is(stats.SaveErr, full) {
			t.Errorf("%+v", stats)
		}
		pass(time.Minute + 10*time.Second)
		if stats := c.Stats().Cache; stats.Failures != 2 || !errors.Is(stats.SaveErr, context.DeadlineExceeded) {
			t.Errorf("%+v", stats)
		}
		pass(time.Hour)
		if stats := c.Stats().Cache; stats != (autoconfig.CacheStats{Saves: 1, Failures: 2}) {
			t.Errorf("%+v", stats)
		}
		if len(begun) != 3 || begun[1].Sub(begun[0]) != time.Minute || begun[2].Sub(begun[1]) != time.Minute+10*time.Second {
			t.Error(begun)
		}
	})
}

// TestOnlyTheServersStateIsSaved: neither what was loaded, nor what the server has merely confirmed.
func TestOnlyTheServersStateIsSaved(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := environment("e1", 1)
		e.SDKKey.Expiring.Value, e.SDKKey.Expiring.Timestamp = "sdk-old", time.Now().Add(time.Second).UnixMilli()
		srv.Put(listing(e, environment("e2", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Next(autoconfigtest.Hang())
		c := open(t, with(cache, srv))
		defer c.Close()
		pass(5 * time.Second) // the key expires
		if c.Stats().State.Expired != 1 || len(cache.times()) != 0 {
			t.Errorf("%+v, saved at %v", c.Stats(), cache.times())
		}
		c.Close()
		// Without the key that has expired it is the same state. The server must not be the quicker.
		srv.Next(autoconfigtest.Status(http.StatusServiceUnavailable))
		c = open(t, with(cache, srv))
		defer c.Close()
		pass(time.Hour)
		if c.Stats().Status.State != autoconfig.Valid || !c.Stats().Cache.Loaded || len(cache.times()) != 0 {
			t.Errorf("%+v, saved at %v", c.Stats(), cache.times())
		}
	})
}

// TestKeysOfASavedConfigurationExpire while the server is away, or before the start.
func TestKeysOfASavedConfigurationExpire(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := environment("e1", 1)
		e.SDKKey.Expiring.Value, e.SDKKey.Expiring.Timestamp = "sdk-old-0001", time.Now().Add(time.Hour).UnixMilli()
		srv.Put(listing(e))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Close()
		c := open(t, with(cache, srv))
		defer c.Close()
		changes := watch(c.Changes())
		expect(t, "at the start", describe(changes.take()), "environment added: e1 (Project Env e1) version 1", "synced from cache")
		pass(time.Hour)
		expect(t, "an hour later", describe(changes.take()), "key expired: SDK key ***0001 of e1 (Project Env e1) version 1")
		c.Close()
		c = open(t, with(cache, srv))
		defer c.Close()
		changes = watch(c.Changes())
		expect(t, "at the next start", describe(changes.take()), "environment added: e1 (Project Env e1) version 1", "synced from cache")
		if got := c.Snapshot().Environments[0].SDKKey.Expiring.Value; got != "" {
			t.Error("the expired key is back")
		}
		c.Close()
	})
}

// A route is a transport that chooses one for each request.
type route func(*http.Request) *http.Client

func (choose route) RoundTrip(r *http.Request) (*http.Response, error) {
	return choose(r).Transport.RoundTrip(r)
}

// TestSavedUnderTheNewKey: a key that was rotated seals the same state anew, but not before there was
// a connection with it.
func TestSavedUnderTheNewKey(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		const newKey autoconfig.AutoConfigKey = "rel-test-0000-5678"
		successor := autoconfigtest.NewPipeServer(string(newKey))
		defer successor.Close()
		srv.Put(listing(environment("e1", 1)))
		successor.Put(listing(environment("e1", 1)))

		var rotated, accepted atomic.Bool
		var cache memoryCache
		o := with(&cache, srv)
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) {
			if rotated.Load() {
				return newKey, nil
			}
			return testKey, nil
		}
		o.HTTPClient = &http.Client{Transport: route(func(*http.Request) *http.Client {
			if accepted.Load() {
				return successor.Client()
			}
			return srv.Client()
		})}
		c := open(t, o)
		defer c.Close()
		synctest.Wait()
		rotated.Store(true)
		srv.CloseConnections()
		pass(time.Hour) // the new key is rejected
		saves := len(cache.times())
		if c.Stats().Rejected == 0 || saves != 1 {
			t.Errorf("rejected %d times, saved %d times", c.Stats().Rejected, saves)
		}
		expectCached(t, cache.data, "e1@1 synced=true cached=true")
		accepted.Store(true)
		pass(time.Hour)
		if saves := len(cache.times()); saves != 2 {
			t.Errorf("saved %d times", saves)
		}
		c.Close()
		expectCached(t, cache.data, "synced=false cached=false")
		o.Cache = &memoryCache{data: cache.data}
		successor.Close()
		c = open(t, o)
		defer c.Close()
		synctest.Wait()
		if !c.Stats().Cache.Loaded {
			t.Errorf("%+v", c.Stats().Cache)
		}
	})
}

// TestObserveWithCache: each subscription of the cold observable begins with what was saved, even if
// the subscriber makes the server wait meanwhile.
func TestObserveWithCache(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		var all []autoconfig.EnvironmentRep
		for i := range 3000 { // more than may wait for the subscriber
			all = append(all, environment(autoconfig.EnvironmentID(fmt.Sprint("e", i)), 1))
		}
		srv.Put(listing(all...))
		cache := &memoryCache{data: savedBy(t, srv)}
		added, synced := 0, []bool{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := autoconfig.Observe(testKey, with(cache, srv))(ctx, func(c autoconfig.Change) bool {
			switch c.Kind {
			case autoconfig.EnvironmentAdded:
				if added++; added == 100 {
					time.Sleep(time.Minute)
				}
			case autoconfig.Synced:
				synced = append(synced, c.Cached)
			}
			return len(synced) < 2
		})
		// The put may have been the quicker.
		if err != nil || added != len(all) || len(synced) == 0 || synced[len(synced)-1] {
			t.Error(err, added, synced)
		}
	})
}

// secrets are what a client must not show, of these environments.
func secrets(environments ...autoconfig.EnvironmentRep) []string {
	all := []string{testKey}
	for _, e := range environments {
		all = append(all, string(e.SDKKey.Value), string(e.MobKey))
	}
	return all
}

// TestNothingIsSavedInPlain: neither the keys nor anything else, in the file or in a temporary one,
// and what a client shows of its cache has none of them.
func TestNothingIsSavedInPlain(t *testing.T) {
	srv := autoconfigtest.NewServer(testKey)
	defer srv.Close()
	e := environment("environment-one", 1)
	e.SDKKey.Value, e.MobKey = "sdk-11111111-secret", "mob-22222222-secret"
	srv.Put(listing(e))
	directory := t.TempDir()
	o := with(&autoconfig.FileCache{Path: filepath.Join(directory, "cache")}, srv)
	var shown bytes.Buffer
	o.Logger = slog.New(slog.NewJSONHandler(&shown, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for range 2 {
		c := open(t, o)
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Close()
		fmt.Fprintf(&shown, "%v %+v %#v %+v", c, c, c, c.Stats().Cache)
	}
	contains(t, "what is shown", shown.Bytes(), secrets(e)...)
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	data, err := os.ReadFile(filepath.Join(directory, entries[0].Name()))
	if err != nil || len(data) == 0 {
		t.Fatal(err)
	}
	contains(t, "the file", data, append(secrets(e), string(e.EnvID), e.EnvKey, e.ProjName, "environments")...)
}

func contains(t *testing.T, what string, data []byte, forbidden ...string) {
	t.Helper()
	for _, s := range forbidden {
		if bytes.Contains(data, []byte(s)) {
			t.Errorf("%s contains %q", what, s)
		}
	}
}

// TestFileCacheIsSharedByClients that come and go while the configuration changes: what they leave
// behind can be read. It is for the race detector, too.
func TestFileCacheIsSharedByClients(t *testing.T) {
	srv := autoconfigtest.NewServer(testKey)
	defer srv.Close()
	srv.Put(listing(environment("e1", 1)))
	cache := &autoconfig.FileCache{Path: filepath.Join(t.TempDir(), "cache")}
	ctx, cancel := context.WithCancel(t.Context())
	var changing, clients sync.WaitGroup
	changing.Go(func() {
		for version := 2; ctx.Err() == nil; version++ {
			srv.Patch(environment("e1", version))
			if srv.AwaitDrained(ctx) != nil {
				return
			}
		}
	})
	for range 4 {
		clients.Go(func() {
			for range 10 {
				c := open(t, with(cache, srv))
				if err := c.Ready(ctx); err != nil {
					t.Error(err)
				}
				_ = c.Stats()
				c.Close()
				if stats := c.Stats().Cache; stats.LoadErr != nil {
					t.Errorf("%+v", stats)
				}
			}
		})
	}
	clients.Wait()
	cancel()
	changing.Wait()
	srv.Close()
	c := open(t, with(cache, srv))
	defer c.Close()
	if err := c.Ready(t.Context()); err != nil || !c.Snapshot().Cached {
		t.Error(err)
	}
}

// A client that was given a file begins with the configuration of the run before, even if the server
// can't be reached.
func ExampleFileCache() {
	directory, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	srv := autoconfigtest.NewServer("rel-example-key")
	srv.Put(listing(environment("e1", 1), environment("e2", 7)))
	options := &autoconfig.Options{
		BaseURI: srv.URL,
		Cache:   &autoconfig.FileCache{Path: filepath.Join(directory, "autoconfig.cache")},
	}

	for range 2 {
		client, err := autoconfig.Open(context.Background(), "rel-example-key", options)
		if err != nil {
			log.Fatal(err)
		}
		if err := client.Ready(context.Background()); err != nil {
			log.Fatal(err)
		}
		snapshot := client.Snapshot()
		fmt.Println(len(snapshot.Environments), "environments, cached:", snapshot.Cached)
		client.Close() // saves what was not saved yet
		srv.Close()    // the second client will find no server
	}
	// Output:
	// 2 environments, cached: false
	// 2 environments, cached: true
}
