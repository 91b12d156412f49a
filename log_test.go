package autoconfig_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// A slowLog is a Logbook that takes a while for each line.
type slowLog struct {
	testkit.Logbook
	line time.Duration
}

func (s *slowLog) Handle(ctx context.Context, r slog.Record) error {
	_ = s.Logbook.Handle(ctx, r)
	time.Sleep(s.line)
	return nil
}

// manyEnvironments returns n environments, the first of which has a key that expires in a minute.
func manyEnvironments(n int) autoconfig.PutContent {
	all := make([]autoconfig.EnvironmentRep, n)
	for i := range all {
		all[i] = testkit.Environment(autoconfig.EnvironmentID(fmt.Sprint("e", i)), 1)
	}
	all[0].SDKKey.Expiring.Value, all[0].SDKKey.Expiring.Timestamp = "sdk-old", time.Now().Add(time.Minute).UnixMilli()
	return testkit.Listing(all...)
}

// TestSlowLoggerHoldsUpNobody checks that a slow or stuck logger delays neither subscribers nor the expiry
// of keys nor Close, that the lines it cannot keep up with are summed up, and that nothing is logged after
// Close.
func TestSlowLoggerHoldsUpNobody(t *testing.T) {
	many := 100_000
	if testkit.RaceDetected() {
		many = 10_000
	}
	for name, line := range map[string]time.Duration{"slow": time.Millisecond, "stuck": time.Hour} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				log := &slowLog{line: line}
				o := testkit.To(srv)
				o.Logger = slog.New(log)
				start := time.Now()
				srv.Put(manyEnvironments(many))
				c := testkit.Open(t, o)
				var first, expired time.Duration
				added := 0
				subscriber := testkit.Watch(stream.Tap(c.Changes(), func(change autoconfig.Change) {
					switch change.Kind {
					case autoconfig.EnvironmentAdded:
						if added++; added == 1 {
							first = time.Since(start)
						}
					case autoconfig.KeyExpired:
						expired = time.Since(start)
					}
				}))
				if err := c.Ready(t.Context()); err != nil || time.Since(start) > 50*time.Millisecond {
					t.Errorf("ready after %v: %v", time.Since(start), err)
				}
				testkit.Pass(time.Until(start.Add(time.Minute)))
				if added != many || first > 50*time.Millisecond || expired != time.Minute {
					t.Errorf("%d environments were added, the first after %v, and a key expired after %v", added, first, expired)
				}
				if name == "slow" {
					expectSummedUp(t, log.Take(), many)
				}
				log.Take()
				if took := closing(c); took > 100*time.Millisecond {
					t.Errorf("Close took %v", took)
				}
				log.Take()
				testkit.Pass(2 * time.Hour)
				if late := lines(log.Take()); late != nil {
					t.Errorf("logged after Close: %q", late)
				}
				if err := subscriber.End(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// expectSummedUp fails the test unless a limited number of records tells of many environments.
func expectSummedUp(t *testing.T, records []slog.Record, many int) {
	t.Helper()
	told := 0
	for _, r := range records {
		switch r.Message {
		case "environment added":
			told++
		default:
			if more, ok := testkit.Attr(r, "more").(int64); ok && r.Message == fmt.Sprintf("%d more: environment added", more) {
				told += int(more)
			}
		}
	}
	if told != many || len(records) > 1100 {
		t.Errorf("%d records tell of %d environments, want %d", len(records), told, many)
	}
}

// A curiousLog is a slog.Handler that calls f while it handles a record.
type curiousLog struct{ f func() }

func (l curiousLog) Enabled(context.Context, slog.Level) bool { return true }
func (l curiousLog) Handle(context.Context, slog.Record) error {
	l.f()
	return nil
}
func (l curiousLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l curiousLog) WithGroup(string) slog.Handler      { return l }

// TestLoggerMayCallTheClient checks that a logger may call the client while it handles a record.
func TestLoggerMayCallTheClient(t *testing.T) {
	for name, call := range map[string]func(c *autoconfig.Client){
		"Stats":            func(c *autoconfig.Client) { c.Stats() },
		"Snapshot":         func(c *autoconfig.Client) { c.Snapshot() },
		"EnvironmentByKey": func(c *autoconfig.Client) { c.EnvironmentByKey(autoconfig.Key{SDKKey: "sdk-e1"}) },
		"Readiness":        func(c *autoconfig.Client) { _ = c.Readiness() },
		"String":           func(c *autoconfig.Client) { _ = c.String() },
		"Close":            (*autoconfig.Client).Close,
	} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				var c atomic.Pointer[autoconfig.Client]
				opened, calls := make(chan struct{}), atomic.Int32{}
				o := testkit.To(srv)
				o.Logger = slog.New(curiousLog{func() {
					<-opened
					call(c.Load())
					calls.Add(1)
				}})
				srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
				c.Store(testkit.Open(t, o))
				close(opened)
				synctest.Wait()
				srv.Patch(testkit.Environment("e1", 2))
				testkit.Pass(time.Second)
				if calls.Load() == 0 {
					t.Error("the call did not return")
				}
				if took := closing(c.Load()); took > 100*time.Millisecond {
					t.Errorf("Close took %v", took)
				}
			})
		})
	}
}
