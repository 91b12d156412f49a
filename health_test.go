package autoconfig_test

import (
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// An outage makes a server answer 503 while it lasts.
type outage struct {
	srv *autoconfigtest.Server
	on  atomic.Bool
}

func planOutage(srv *autoconfigtest.Server) *outage {
	o := &outage{srv: srv}
	refuse := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if o.on.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	srv.Next(slices.Repeat([]autoconfigtest.Fault{refuse}, 10_000)...)
	return o
}

func (o *outage) begin() {
	o.on.Store(true)
	o.srv.CloseConnections()
}

// end also waits until every client must have noticed.
func (o *outage) End() {
	o.on.Store(false)
	testkit.Pass(time.Minute)
}

// wantHealth demands that err is about the problem that began a while ago; no problem is nil.
func wantHealth(t *testing.T, err error, want autoconfig.Problem, ago time.Duration) {
	t.Helper()
	if want == 0 {
		if err != nil {
			t.Errorf("got %v, want health", err)
		}
		return
	}
	var health *autoconfig.HealthError
	if !errors.As(err, &health) {
		t.Errorf("got %v, want %v", err, want)
		return
	}
	if since := time.Since(health.Since); health.Problem != want || since != ago {
		t.Errorf("got %v for %v, want %v for %v", health.Problem, since, want, ago)
	}
}

// wantStatus demands that err is about an HTTP status.
func wantStatus(t *testing.T, err error, code int) {
	t.Helper()
	var status *sse.StatusError
	if !errors.As(err, &status) || status.Code != code {
		t.Errorf("%v is not about status %d", err, code)
	}
}

// A client is ready from its first configuration to its end, whatever happens to its connection.
func TestReadinessOutlastsOutages(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		out := planOutage(srv)
		out.begin()
		client := testkit.Open(t, testkit.To(srv))
		testkit.Pass(time.Hour)
		wantHealth(t, client.Readiness(), autoconfig.NoConfiguration, time.Hour)
		wantStatus(t, client.Readiness(), http.StatusServiceUnavailable)

		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		out.End()
		wantHealth(t, client.Readiness(), 0, 0)
		out.begin()
		for range 60 {
			testkit.Pass(5 * time.Minute)
			wantHealth(t, client.Readiness(), 0, 0)
		}

		client.Close()
		testkit.Pass(time.Hour)
		wantHealth(t, client.Readiness(), autoconfig.Ended, time.Hour)
		if !errors.Is(client.Readiness(), autoconfig.ErrClosed) {
			t.Errorf("got %v", client.Readiness())
		}
	})
}

// An outage harms the liveness when it has lasted for longer than the tolerance, be it of a client
// that never had a configuration or of one that had, and until the configuration is there again.
func TestLivenessToleratesOutages(t *testing.T) {
	const tolerance = 6 * time.Hour
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		out := planOutage(srv)
		out.begin()
		client := testkit.Open(t, testkit.To(srv))
		for range 2 {
			testkit.Pass(tolerance)
			wantHealth(t, client.Liveness(tolerance), 0, 0)
			testkit.Pass(1)
			wantHealth(t, client.Liveness(tolerance), autoconfig.Outdated, tolerance+1)
			wantStatus(t, client.Liveness(tolerance), http.StatusServiceUnavailable)
			out.End()
			wantHealth(t, client.Liveness(0), 0, 0)
			out.begin()
			testkit.Pass(0)
		}
	})
}

// Silence that is the server's right is no stall, even if nothing is tolerated; a connection that is
// not read is one, although the server goes on sending.
func TestLivenessNoticesAStall(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		client := testkit.Open(t, testkit.To(srv))
		beat := func(times int) {
			for range times {
				testkit.Pass(sse.DefaultIdleTimeout - 1)
				wantHealth(t, client.Liveness(0), 0, 0)
				srv.Heartbeat()
			}
		}
		beat(100)

		goOn := make(chan struct{})
		slow := client.ChangesUnder(stream.Block[autoconfig.Change](1))
		subscriber := testkit.Watch(stream.Map(slow, func(c autoconfig.Change) autoconfig.Change {
			<-goOn
			return c
		}))
		testkit.Pass(0)
		for version := range 10 {
			srv.Patch(testkit.Environment("a", version+1))
			testkit.Pass(0)
		}
		for range 12 {
			testkit.Pass(sse.DefaultIdleTimeout)
			srv.Heartbeat()
		}
		const tolerance = 11 * sse.DefaultIdleTimeout
		wantHealth(t, client.Liveness(tolerance), 0, 0)
		testkit.Pass(1)
		wantHealth(t, client.Liveness(tolerance), autoconfig.Stalled, tolerance+1)

		close(goOn)
		testkit.Pass(0)
		wantHealth(t, client.Liveness(0), 0, 0)
		beat(2)
		client.Close()
		if err := subscriber.End(); err != nil {
			t.Error(err)
		}
	})
}

// What has failed for good is neither ready nor alive, however much is tolerated, and says why.
func TestHealthOfWhatHasFailed(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		client := testkit.Open(t, testkit.To(srv))
		testkit.Pass(0)
		srv.Next(autoconfigtest.Status(http.StatusNoContent))
		srv.CloseConnections()
		testkit.Pass(2 * time.Second)
		for _, err := range []error{client.Readiness(), client.Liveness(1000 * time.Hour)} {
			var health *autoconfig.HealthError
			if !errors.As(err, &health) || health.Problem != autoconfig.Ended {
				t.Errorf("got %v", err)
			}
			wantStatus(t, err, http.StatusNoContent)
		}
	})
}

// A saved configuration makes a client ready where the server can't be reached; that it is an old one
// is for the liveness to tell.
func TestHealthWithASavedConfiguration(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		cache := &memoryCache{data: savedBy(t, srv)}
		planOutage(srv).begin()
		client := testkit.Open(t, with(cache, srv))
		testkit.Pass(time.Hour)
		wantHealth(t, client.Readiness(), 0, 0)
		wantHealth(t, client.Liveness(time.Hour), 0, 0)
		testkit.Pass(1)
		wantHealth(t, client.Liveness(time.Hour), autoconfig.Outdated, time.Hour+1)
	})
}
