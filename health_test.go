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

// End ends the outage, and waits until every client must have noticed.
func (o *outage) End() {
	o.on.Store(false)
	testkit.Pass(time.Minute)
}

// wantHealth fails the test unless err reports a problem that began that long ago, or is nil if want is 0.
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

// wantStatus fails the test unless err is about an HTTP status.
func wantStatus(t *testing.T, err error, code int) {
	t.Helper()
	var status *sse.StatusError
	if !errors.As(err, &status) || status.Code != code {
		t.Errorf("%v is not about status %d", err, code)
	}
}

// TestReadinessOutlastsOutages checks that a client is ready from its first configuration to its end, whatever
// happens to its connection.
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

// TestLivenessToleratesOutages checks that a client that has been outdated for longer than the tolerance is not
// alive, with and without an earlier configuration, until it has a current one.
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

// TestLivenessNoticesAStall checks that silence within IdleTimeout is no stall, even without tolerance, and that
// a connection that is not read is one, although the server goes on sending.
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

// TestHealthOfWhatHasFailed checks that a client that has failed for good is neither ready nor alive, whatever
// the tolerance, and that it says why.
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

// TestHealthWithASavedConfiguration checks that a client with a saved configuration is ready, and that its
// liveness tells that the configuration is old.
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
