package autoconfig_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A memoryCache is a Cache in memory. Each call begins with its hook, if that is not nil, and returns the
// hook's error.
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

// patient is a hook that waits for the end of its context.
func patient(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// deaf returns a hook that ignores its context and waits for release.
func deaf(release <-chan struct{}) func(context.Context) error {
	return func(context.Context) error {
		<-release
		return nil
	}
}

// with returns options for a client of the server with the cache.
func with(cache autoconfig.Cache, s *autoconfigtest.Server) *autoconfig.Options {
	o := testkit.To(s)
	o.Cache = cache
	return o
}

// savedBy returns what a client saves of the server's configuration.
func savedBy(t *testing.T, srv *autoconfigtest.Server) []byte {
	t.Helper()
	var cache memoryCache
	c := testkit.Open(t, with(&cache, srv))
	defer c.Close()
	synctest.Wait()
	if cache.data == nil {
		t.Fatal("nothing was saved")
	}
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

// expectCached fails the test unless a client that loads data, and has no server, has the wanted inventory.
func expectCached(t *testing.T, data []byte, want string) {
	t.Helper()
	srv := autoconfigtest.NewPipeServer(testkit.Key)
	defer srv.Close()
	c := testkit.Open(t, with(&memoryCache{data: data}, srv))
	defer c.Close()
	synctest.Wait()
	if got := inventory(c.Snapshot()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCacheServesUntilTheServerDoes checks that a client serves the saved configuration while the server
// hangs, and then emits only what differs from it.
func TestCacheServesUntilTheServerDoes(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1), testkit.Environment("e2", 1)))
		srv.PatchFilter("f1", autoconfig.FilterRep{Version: 1})
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Patch(testkit.Environment("e2", 2))
		srv.DeleteFilter("f1", 2)
		srv.Next(autoconfigtest.Hang())

		c := testkit.Open(t, with(cache, srv))
		defer c.Close()
		changes := testkit.Watch(c.Changes())
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := testkit.Describe(changes.Take())
		slices.Sort(got[:2]) // the server sends them in any order
		testkit.Expect(t, "before the server speaks", got,
			"environment added: e1 (Project Env e1) version 1",
			"environment added: e2 (Project Env e2) version 1",
			"filter added: f1 ( ) version 1",
			"synced from cache")
		status := c.Stats().Status
		if status.State != autoconfig.Initializing || !status.Cached || !c.Snapshot().Cached || !c.Stats().Cache.Loaded {
			t.Errorf("%+v", c.Stats())
		}
		testkit.Pass(30 * time.Second) // the attempt that hangs is given up, another one succeeds
		testkit.Expect(t, "when it has", testkit.Describe(changes.Take()),
			"environment updated: e2 (Project Env e2) version 2",
			"filter deleted: f1 ( ) version 1",
			"synced")
		status = c.Stats().Status
		if status.State != autoconfig.Valid || status.Cached || c.Snapshot().Cached {
			t.Errorf("%+v", c.Stats())
		}
		c.Close()
		if err := changes.End(); err != nil {
			t.Error(err)
		}
	})
}

// TestCacheKeepsServingARejectedKey checks that a client whose key is rejected serves what was saved under
// it.
func TestCacheKeepsServingARejectedKey(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Next(autoconfigtest.Status(http.StatusUnauthorized), autoconfigtest.Status(http.StatusForbidden))
		c := testkit.Open(t, with(cache, srv))
		defer c.Close()
		testkit.Pass(time.Minute)
		status := c.Stats().Status
		if err := c.Ready(t.Context()); err != nil || !status.Cached || status.Code != http.StatusUnauthorized || status.State != autoconfig.Initializing {
			t.Errorf("%v, %+v", err, status)
		}
		if got := inventory(c.Snapshot()); got != "e1@1 synced=true cached=true" {
			t.Error(got)
		}
		testkit.Pass(20 * time.Minute)
		if got := inventory(c.Snapshot()); got != "e1@1 synced=true cached=false" {
			t.Error(got)
		}
	})
}

// TestMistypedKeyLosesNothing checks that a client whose key is wrong, and rejected by the server, leaves the saved
// configuration for the next client, which has the right key and finds no server.
func TestMistypedKeyLosesNothing(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		o := with(cache, srv)
		o.Logger = testkit.Censored(t)
		c, err := autoconfig.Open(t.Context(), "rel-mistyped", o)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Pass(time.Hour)
		if stats := c.Stats(); !errors.Is(stats.Cache.LoadErr, autoconfig.ErrCacheForeign) || stats.Rejected == 0 {
			t.Errorf("%+v", stats)
		}
		c.Close()
		if cache.aside != 0 {
			t.Error("the saved configuration was set aside")
		}
		expectCached(t, cache.data, "e1@1 synced=true cached=true")
	})
}

// TestServerIsFasterThanCache checks that the server's first put wins over a slow load, whether the load
// heeds its context or not.
func TestServerIsFasterThanCache(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("gone", 1)))
		old := savedBy(t, srv)
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		release := make(chan struct{})
		for name, onLoad := range map[string]func(context.Context) error{"patient": patient, "deaf": deaf(release)} {
			cache := &memoryCache{data: old, onLoad: onLoad}
			c := testkit.Open(t, with(cache, srv))
			changes := testkit.Watch(c.Changes())
			synctest.Wait()
			if name == "deaf" {
				close(release)
				synctest.Wait()
			}
			testkit.Expect(t, name, testkit.Describe(changes.Take()), "environment added: e1 (Project Env e1) version 1", "synced")
			if stats := c.Stats().Cache; stats.Loaded || stats.LoadErr != nil || stats.Saves != 1 {
				t.Errorf("%s: %+v", name, stats)
			}
			c.Close()
		}
	})
}

// TestPatchIsFasterThanCache checks that a saved configuration does not undo what the server has already
// said, even if that is only a patch.
func TestPatchIsFasterThanCache(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		release := make(chan struct{})
		cache := &memoryCache{data: savedBy(t, srv), onLoad: deaf(release)}
		srv.Next(body(event("patch", `{"path":"/environments/e2","data":`+testkit.JSON(testkit.Environment("e2", 1))+`}`)))
		c := testkit.Open(t, with(cache, srv))
		defer c.Close()
		changes := testkit.Watch(c.Changes())
		synctest.Wait()
		close(release)
		testkit.Expect(t, "before the put", testkit.Describe(changes.Take()), "environment added: e2 (Project Env e2) version 1")
		if stats := c.Stats().Cache; stats.Loaded || stats.LoadErr != nil || stats.Saves != 0 {
			t.Errorf("%+v", stats)
		}
		testkit.Pass(time.Second)
		if got := inventory(c.Snapshot()); got != "e1@1 synced=true cached=false" {
			t.Errorf("after the put: %s", got)
		}
	})
}

// TestIgnoredMessageIsFasterThanCache checks that a message that is ignored does not replace the saved
// configuration.
func TestIgnoredMessageIsFasterThanCache(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		release := make(chan struct{})
		cache := &memoryCache{data: savedBy(t, srv), onLoad: deaf(release)}
		srv.Next(body(event("unknown", "{}")))
		c := testkit.Open(t, with(cache, srv))
		changes := testkit.Watch(c.Changes())
		synctest.Wait()
		if c.Stats().State.Ignored != 1 {
			t.Fatal("no message was ignored")
		}
		close(release)
		testkit.Expect(t, "from the cache", testkit.Describe(changes.Take()), "environment added: e1 (Project Env e1) version 1", "synced from cache")
		c.Close()
	})
}

// TestStuckLoad checks that a load that does not return delays Close up to its limit, and the
// stream not at all.
func TestStuckLoad(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		release := make(chan struct{})
		defer close(release)
		o := with(&memoryCache{onLoad: deaf(release)}, srv)
		o.CloseTimeout = time.Second
		c := testkit.Open(t, o)
		synctest.Wait() // for the load to begin before the stream makes it superfluous
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		if err := c.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		if took := closing(c); took != o.CloseTimeout+20*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestCacheWaitsForTheKey checks that the saved configuration is opened with the key of the first attempt,
// however late Options.Key returns it.
func TestCacheWaitsForTheKey(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Next(autoconfigtest.Hang())
		o := with(cache, srv)
		calls := 0
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) {
			if calls++; calls < 8 { // longer than a call of the cache may take
				return "", errors.New("not yet")
			}
			return testkit.Key, nil
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

// TestKeysOfASavedConfigurationExpire checks that keys of a saved configuration expire while the server is
// away, and stay away after a restart.
func TestKeysOfASavedConfigurationExpire(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := testkit.Environment("e1", 1)
		e.SDKKey.Expiring.Value, e.SDKKey.Expiring.Timestamp = "sdk-old-0001", time.Now().Add(time.Hour).UnixMilli()
		srv.Put(testkit.Listing(e))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Close()
		c := testkit.Open(t, with(cache, srv))
		defer c.Close()
		changes := testkit.Watch(c.Changes())
		testkit.Expect(t, "at the start", testkit.Describe(changes.Take()), "environment added: e1 (Project Env e1) version 1", "synced from cache")
		testkit.Pass(time.Hour)
		testkit.Expect(t, "an hour later", testkit.Describe(changes.Take()), "key expired: SDK key ***0001 of e1 (Project Env e1) version 1")
		c.Close()
		c = testkit.Open(t, with(cache, srv))
		defer c.Close()
		changes = testkit.Watch(c.Changes())
		testkit.Expect(t, "at the next start", testkit.Describe(changes.Take()), "environment added: e1 (Project Env e1) version 1", "synced from cache")
		if got := c.Snapshot().Environments[0].SDKKey.Expiring.Value; got != "" {
			t.Error("the expired key is back")
		}
		c.Close()
	})
}

// TestObserveWithCache checks that a subscription to Observe begins with the saved configuration, even if
// its subscriber is slow.
func TestObserveWithCache(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		var all []autoconfig.EnvironmentRep
		for i := range 3000 { // more than may wait for the subscriber
			all = append(all, testkit.Environment(autoconfig.EnvironmentID(fmt.Sprint("e", i)), 1))
		}
		srv.Put(testkit.Listing(all...))
		cache := &memoryCache{data: savedBy(t, srv)}
		added, synced := 0, []bool{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := autoconfig.Observe(testkit.Key, with(cache, srv))(ctx, func(c autoconfig.Change) bool {
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

// TestFileCacheIsSharedByClients checks that clients that come and go while the configuration changes leave
// a file that can be loaded. The race detector runs it, too.
func TestFileCacheIsSharedByClients(t *testing.T) {
	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
	cache := &autoconfig.FileCache{Path: filepath.Join(t.TempDir(), "cache")}
	ctx, cancel := context.WithCancel(t.Context())
	var changing, clients sync.WaitGroup
	changing.Go(func() {
		for version := 2; ctx.Err() == nil; version++ {
			srv.Patch(testkit.Environment("e1", version))
			if srv.AwaitDrained(ctx) != nil {
				return
			}
		}
	})
	for range 4 {
		clients.Go(func() {
			for range 10 {
				c := testkit.Open(t, with(cache, srv))
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
	c := testkit.Open(t, with(cache, srv))
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
	srv.Put(testkit.Listing(testkit.Environment("e1", 1), testkit.Environment("e2", 7)))
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
