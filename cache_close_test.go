package autoconfig_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// slowly saves in d, unless the context ends before. It counts the saves that begin.
func slowly(d time.Duration, begun *atomic.Int32) func(context.Context) error {
	return func(ctx context.Context) error {
		begun.Add(1)
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// TestCloseWaitsForASlowStore closes a client right after its first configuration. The next client must
// begin with it, with the server gone.
func TestCloseWaitsForASlowStore(t *testing.T) {
	for name, run := range map[string]func(t *testing.T, o *autoconfig.Options){
		"Open": func(t *testing.T, o *autoconfig.Options) {
			c := testkit.Open(t, o)
			if err := c.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := c.CloseContext(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"Observe": func(t *testing.T, o *autoconfig.Options) {
			o.Logger = testkit.Censored(t)
			err := autoconfig.Observe(testkit.Key, o)(t.Context(), func(c autoconfig.Change) bool { return c.Kind != autoconfig.Synced })
			if err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				var begun atomic.Int32
				cache := &memoryCache{onSave: slowly(2*time.Second, &begun)}
				srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
				start := time.Now()
				run(t, with(cache, srv))
				srv.Close()
				if took := time.Since(start); took != 2*time.Second || begun.Load() != 1 {
					t.Errorf("it took %v and %d saves", took, begun.Load())
				}
				expectCached(t, cache.data, "e1@1 synced=true cached=true")
			})
		})
	}
}

// TestCloseGivesUpOnAStore checks that Close stops saving at its time limit, reports that the configuration
// is not saved, and begins nothing afterwards.
func TestCloseGivesUpOnAStore(t *testing.T) {
	for _, test := range []struct {
		name    string
		timeout time.Duration // Options.CloseTimeout
		limit   time.Duration // of the context; 0 for none
		took    time.Duration
		cause   error
	}{
		{"by default", 0, 0, autoconfig.DefaultCloseTimeout, context.DeadlineExceeded},
		{"CloseTimeout", 3 * time.Second, 0, 3 * time.Second, context.DeadlineExceeded},
		{"the context ends earlier", 0, time.Second, time.Second, errTooLong},
		{"the context ends later", time.Second, 2 * time.Second, time.Second, context.DeadlineExceeded},
		{"the context has ended", 0, -1, 0, errTooLong},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				var begun atomic.Int32
				srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
				log := new(testkit.Logbook)
				o := with(&memoryCache{onSave: slowly(time.Hour, &begun)}, srv)
				o.CloseTimeout, o.Logger = test.timeout, log.Logger()
				c := testkit.Open(t, o)
				synctest.Wait()
				ctx := t.Context()
				if test.limit != 0 {
					limited, cancel := context.WithTimeoutCause(ctx, test.limit, errTooLong)
					defer cancel()
					ctx = limited
				}
				start := time.Now()
				err := c.CloseContext(ctx)
				if took := time.Since(start); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				expectNotSaved(t, c, err, test.cause, log)
				testkit.Pass(2 * time.Hour)
				if begun.Load() != 1 {
					t.Errorf("%d saves were begun", begun.Load())
				}
			})
		})
	}
}

// expectNotSaved fails the test unless a client that is closed, and its log, say that the last configuration is
// not saved, and why.
func expectNotSaved(t *testing.T, c *autoconfig.Client, err, cause error, log *testkit.Logbook) {
	t.Helper()
	if !errors.Is(err, autoconfig.ErrNotSaved) || !errors.Is(err, cause) {
		t.Errorf("CloseContext returned %v, want %v because of %v", err, autoconfig.ErrNotSaved, cause)
	}
	if again := c.CloseContext(t.Context()); again != err {
		t.Errorf("CloseContext again returned %v, want %v", again, err)
	}
	if stats := c.Stats().Cache; stats.Failures != 1 || !errors.Is(stats.SaveErr, cause) {
		t.Errorf("%+v, want one failure because of %v", stats, cause)
	}
	var logged error
	for _, r := range log.Take() {
		if r.Message == "configuration not saved" {
			logged, _ = testkit.Attr(r, "error").(error)
		}
	}
	if !errors.Is(logged, cause) {
		t.Errorf("logged %v, want %v", logged, cause)
	}
}

// TestNothingIsSavedAfterTheContext checks that CloseContext with an ended context begins no save, and
// returns an error only if something is not saved.
func TestNothingIsSavedAfterTheContext(t *testing.T) {
	for range 50 { // whoever is quicker
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errTooLong)
			srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
			var changed, unchanged memoryCache
			c, other := testkit.Open(t, with(&changed, srv)), testkit.Open(t, with(&unchanged, srv))
			synctest.Wait()
			if err := other.CloseContext(ctx); err != nil {
				t.Errorf("with nothing to save it returned %v", err)
			}
			srv.Patch(testkit.Environment("e1", 2))
			synctest.Wait()
			if err := c.CloseContext(ctx); !errors.Is(err, autoconfig.ErrNotSaved) || !errors.Is(err, errTooLong) {
				t.Errorf("it returned %v, want %v", err, autoconfig.ErrNotSaved)
			}
			if n := len(changed.times()); n != 1 {
				t.Errorf("%d saves were begun", n)
			}
		})
	}
}

// TestCloseOfAFailedClient checks that CloseContext returns nil if the last configuration is saved, even if
// the client has failed: Ready reports that.
func TestCloseOfAFailedClient(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		srv.Next(nil, autoconfigtest.Status(204))
		var cache memoryCache
		c := testkit.Open(t, with(&cache, srv))
		synctest.Wait()
		srv.Patch(testkit.Environment("e1", 2))
		synctest.Wait()
		srv.EndConnections()
		testkit.Pass(time.Minute)
		if c.Stats().Status.State != autoconfig.Off {
			t.Fatal("the client has not failed")
		}
		if err := c.CloseContext(t.Context()); err != nil {
			t.Error(err)
		}
		expectCached(t, cache.data, "e1@2 synced=true cached=true")
	})
}
