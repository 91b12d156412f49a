package autoconfig_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestCloseSavesTheRest checks that Close saves what has changed since the last save, without a delay of its
// own.
func TestCloseSavesTheRest(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		var cache memoryCache
		c := testkit.Open(t, with(&cache, srv))
		synctest.Wait()
		srv.Patch(testkit.Environment("e1", 2))
		srv.Patch(testkit.Environment("e2", 1))
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

// TestStuckSave checks that a save that does not return delays Close up to its limit, and the
// stream not at all.
func TestStuckSave(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		release := make(chan struct{})
		defer close(release)
		srv.Put(testkit.Listing())
		for _, test := range []struct {
			onSave func(context.Context) error
			close  time.Duration
		}{{patient, autoconfig.DefaultCloseTimeout}, {deaf(release), autoconfig.DefaultCloseTimeout + 20*time.Millisecond}} {
			c := testkit.Open(t, with(&memoryCache{onSave: test.onSave}, srv))
			for version := range 50 {
				srv.Patch(testkit.Environment("e1", version))
				synctest.Wait()
				if got := c.Snapshot().Environments; len(got) != 1 || got[0].Version != version {
					t.Error(got)
				}
			}
			if took := closing(c); took != test.close {
				t.Errorf("Close took %v, want %v", took, test.close)
			}
			srv.Put(testkit.Listing())
		}
	})
}

// TestOnlyTheServersStateIsSaved checks that a loaded configuration is not saved again, even when one of its
// keys expires.
func TestOnlyTheServersStateIsSaved(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := testkit.Environment("e1", 1)
		e.SDKKey.Expiring.Value, e.SDKKey.Expiring.Timestamp = "sdk-old", time.Now().Add(time.Second).UnixMilli()
		srv.Put(testkit.Listing(e, testkit.Environment("e2", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		srv.Next(autoconfigtest.Hang())
		c := testkit.Open(t, with(cache, srv))
		defer c.Close()
		testkit.Pass(5 * time.Second) // the key expires
		if c.Stats().State.Expired != 1 || len(cache.times()) != 0 {
			t.Errorf("%+v, saved at %v", c.Stats(), cache.times())
		}
	})
}

// A route is a transport that chooses the client for each request.
type route func(*http.Request) *http.Client

func (choose route) RoundTrip(r *http.Request) (*http.Response, error) {
	return choose(r).Transport.RoundTrip(r)
}

// TestSavedUnderTheNewKey checks that the configuration is saved again under a rotated key, but not before
// the server has accepted that key.
func TestSavedUnderTheNewKey(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		const newKey autoconfig.AutoConfigKey = "rel-test-0000-5678"
		successor := autoconfigtest.NewPipeServer(string(newKey))
		defer successor.Close()
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		successor.Put(testkit.Listing(testkit.Environment("e1", 1)))

		var rotated, accepted atomic.Bool
		var cache memoryCache
		o := with(&cache, srv)
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) {
			if rotated.Load() {
				return newKey, nil
			}
			return testkit.Key, nil
		}
		o.HTTPClient = &http.Client{Transport: route(func(*http.Request) *http.Client {
			if accepted.Load() {
				return successor.Client()
			}
			return srv.Client()
		})}
		c := testkit.Open(t, o)
		defer c.Close()
		synctest.Wait()
		rotated.Store(true)
		srv.CloseConnections()
		testkit.Pass(time.Hour) // the new key is rejected
		saves := len(cache.times())
		if c.Stats().Rejected == 0 || saves != 1 {
			t.Errorf("rejected %d times, saved %d times", c.Stats().Rejected, saves)
		}
		expectCached(t, cache.data, "e1@1 synced=true cached=true")
		accepted.Store(true)
		testkit.Pass(time.Hour)
		if saves := len(cache.times()); saves != 2 {
			t.Errorf("saved %d times", saves)
		}
		c.Close()
		expectCached(t, cache.data, "synced=false cached=false")
		o.Cache = &memoryCache{data: cache.data}
		successor.Close()
		c = testkit.Open(t, o)
		defer c.Close()
		synctest.Wait()
		if !c.Stats().Cache.Loaded {
			t.Errorf("%+v", c.Stats().Cache)
		}
	})
}
