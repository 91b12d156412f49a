package autoconfig_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

func TestReady(t *testing.T) {
	gone, left := errors.New("gone"), errors.New("left")
	ended := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		return ctx
	}
	for _, test := range []struct {
		name string
		put  bool
		end  func(c *autoconfig.Client, cancel context.CancelCauseFunc)
		wait context.Context
		want error
	}{
		{"not yet", false, nil, ended(left), left},
		{"closed before", false, func(c *autoconfig.Client, _ context.CancelCauseFunc) { c.Close() }, context.Background(), autoconfig.ErrClosed},
		{"context ended before", false, func(_ *autoconfig.Client, cancel context.CancelCauseFunc) { cancel(gone) }, context.Background(), gone},
		{"ready", true, nil, context.Background(), nil},
		{"ready, and no time to wait", true, nil, ended(left), nil},
		{"closed after", true, func(c *autoconfig.Client, _ context.CancelCauseFunc) { c.Close() }, ended(left), nil},
		{"context ended after", true, func(_ *autoconfig.Client, cancel context.CancelCauseFunc) { cancel(gone) }, ended(left), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				if test.put {
					srv.Put(testkit.Listing())
				}
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				c, err := autoconfig.Open(ctx, testkit.Key, testkit.To(srv))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				synctest.Wait()
				if test.end != nil {
					test.end(c, cancel)
				}
				synctest.Wait()
				for range 30 { // of several answers that are possible none may be given by chance
					if err := c.Ready(test.wait); err != test.want {
						t.Fatalf("got %v, want %v", err, test.want)
					}
				}
			})
		})
	}
}

// TestReadyWaits checks that Ready waits for the configuration: neither the connection nor a message before
// the put is enough.
func TestReadyWaits(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		c := testkit.Open(t, testkit.To(srv))
		ready := make(chan error)
		go func() { ready <- c.Ready(context.Background()) }()
		srv.Next(nil)
		synctest.Wait()
		srv.SendEvent("patch", `{"path":"/environments/e1","data":{"envID":"e1"}}`)
		synctest.Wait()
		select {
		case err := <-ready:
			t.Fatalf("ready before there was a configuration: %v", err)
		default:
		}
		srv.Put(testkit.Listing())
		if err := <-ready; err != nil {
			t.Error(err)
		}
	})
}

// TestStatus checks that Status begins with the present status, that the client is Valid only after a put on
// the present connection, and that a status says when and why it is not, and when the next attempt begins.
func TestStatus(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		began := time.Now()
		c, statuses, _ := observed(t, testkit.To(srv))
		tell := func(s autoconfig.Status) string {
			next := "none"
			if !s.NextAttempt.IsZero() {
				next = "in a while"
			}
			return fmt.Sprintf("%v for %v, attempt %d, next %s, code %d, error %t", s.State, time.Since(s.Since), s.Attempt, next, s.Code, s.Err != nil)
		}
		told := func(moment string, want ...string) {
			t.Helper()
			var got []string
			for _, s := range statuses.Take() {
				got = append(got, tell(s))
			}
			testkit.Expect(t, moment, got, want...)
		}
		first := statuses.Take()
		testkit.Expect(t, "connecting", []string{tell(first[len(first)-1])}, "initializing for 0s, attempt 1, next none, code 0, error false")

		srv.Next(autoconfigtest.Status(503))
		srv.EndConnections()
		synctest.Wait()
		told("ended before a put", "initializing for 0s, attempt 1, next in a while, code 0, error true")
		testkit.Pass(time.Until(c.Stats().Status.NextAttempt))
		told("refused",
			fmt.Sprintf("initializing for %v, attempt 2, next none, code 0, error true", time.Since(began)),
			fmt.Sprintf("initializing for %v, attempt 2, next in a while, code 503, error true", time.Since(began)))
		testkit.Pass(time.Until(c.Stats().Status.NextAttempt))
		told("connected", fmt.Sprintf("initializing for %v, attempt 3, next none, code 503, error true", time.Since(began)))

		srv.Put(testkit.Listing())
		told("put", "valid for 0s, attempt 0, next none, code 503, error true") // the last error stays
		valid := time.Now()
		testkit.Pass(time.Minute)
		srv.Put(testkit.Listing())
		told("put again", fmt.Sprintf("valid for %v, attempt 0, next none, code 503, error true", time.Since(valid)))

		srv.Next(autoconfigtest.Stall(0))
		srv.EndConnections()
		told("lost", "interrupted for 0s, attempt 0, next in a while, code 0, error true")
		lost := time.Now()
		testkit.Pass(time.Until(c.Stats().Status.NextAttempt))
		told("connected again, without a put", fmt.Sprintf("interrupted for %v, attempt 1, next none, code 0, error true", time.Since(lost)))
		newcomer := func(moment string) {
			if got, err := c.Status().First(t.Context()); err != nil || got != c.Stats().Status {
				t.Errorf("%s, a newcomer is told %s, error %v", moment, tell(got), err)
			}
		}
		newcomer("before the end")
		c.Close() // is no error
		told("closed", "off for 0s, attempt 1, next none, code 0, error true")
		newcomer("after the end")
		if err := c.Stats().Status.Err; !errors.Is(err, sse.ErrEndOfStream) {
			t.Errorf("the last error is %v", err)
		}
	})
}

func TestNames(t *testing.T) {
	for value, want := range map[fmt.Stringer]string{
		autoconfig.Initializing: "initializing", autoconfig.Valid: "valid", autoconfig.Interrupted: "interrupted",
		autoconfig.Off: "off", autoconfig.Off + 1: "State(4)",

		autoconfig.NoConfiguration: "no configuration", autoconfig.Outdated: "outdated", autoconfig.Stalled: "stalled",
		autoconfig.Ended: "ended", autoconfig.Ended + 1: "Problem(5)", autoconfig.Problem(0): "Problem(0)",
	} {
		if got := value.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestSnapshot checks that a snapshot is in the order of addition, whatever was updated since, and says
// whether it is complete.
func TestSnapshot(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		c := testkit.Open(t, testkit.To(srv))
		expectSnapshot := func(synced bool, want ...string) {
			t.Helper()
			synctest.Wait()
			s := c.Snapshot()
			var got []string
			for _, e := range s.Environments {
				got = append(got, fmt.Sprint(string(e.EnvID), " ", e.Version))
			}
			for _, f := range s.Filters {
				got = append(got, fmt.Sprint("filter ", string(f.ID), " ", f.Version))
			}
			testkit.Expect(t, "snapshot", got, want...)
			if s.Synced != synced || s.Cached {
				t.Errorf("synced: %t, cached: %t", s.Synced, s.Cached)
			}
		}
		expectSnapshot(false)
		srv.Patch(testkit.Environment("early", 1))
		expectSnapshot(false, "early 1")
		srv.Put(testkit.Listing(testkit.Environment("b", 1), testkit.Environment("c", 1)))
		srv.Patch(testkit.Environment("a", 1))
		srv.Patch(testkit.Environment("b", 2))
		srv.PatchFilter("f", autoconfig.FilterRep{Version: 1})
		expectSnapshot(true, "b 2", "c 1", "a 1", "filter f 1")
		srv.Delete("b", 3)
		srv.Patch(testkit.Environment("b", 4))
		srv.DeleteFilter("f", 2)
		expectSnapshot(true, "c 1", "a 1", "b 4")
		c.Close()
		expectSnapshot(true, "c 1", "a 1", "b 4")
	})
}

// TestTaps checks that Events and Messages yield everything that arrives on all connections after the
// subscription, applied or not.
func TestTaps(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		c := testkit.Open(t, testkit.To(srv))
		srv.SendEvent("missed", "")
		synctest.Wait()
		events, messages := testkit.Watch(c.Events()), testkit.Watch(c.Messages())
		synctest.Wait()
		srv.Put(testkit.Listing())
		srv.Heartbeat()
		srv.SendRaw([]byte("id: 7\n"))
		srv.SendEvent("unknown", "first")
		srv.SendEvent("unknown", "second")
		srv.Patch(testkit.Environment("e1", 1))
		srv.Patch(testkit.Environment("e1", 1)) // stale
		srv.Delete("e2", 3)
		srv.Reconnect()
		testkit.Pass(time.Minute)
		var got []string
		for _, e := range events.Take() {
			data := ""
			if e.Type == "unknown" {
				data = string(e.Data)
			}
			got = append(got, fmt.Sprint(e.Type, " ", data, " ", e.LastEventID))
		}
		testkit.Expect(t, "events", got, "put  ", "unknown first 7", "unknown second 7", "patch  7", "patch  7", "delete  7", "reconnect  7", "put  7")
		got = nil
		for _, m := range messages.Take() {
			got = append(got, fmt.Sprint(m.Kind, " ", string(m.Environment.ID), " ", m.Environment.Version, " ", errors.Is(m.Err, decode.ErrUnknownEvent)))
		}
		testkit.Expect(t, "messages", got, "put  0 false", "ignored  0 true", "ignored  0 true", "patch e1 1 false", "patch e1 1 false",
			"delete e2 3 false", "put  0 false")
	})
}

// TestTapsLoseTheOldest checks that Events and Messages keep the latest 1,024 values for a slow subscriber,
// delay nobody, and that the data of an event stays valid.
func TestTapsLoseTheOldest(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		const waiting, more = 1024, 500
		o := testkit.To(srv)
		o.Lag = 10 // which is for Changes alone
		c := testkit.Open(t, o)
		synctest.Wait()
		events, goOn := blocked(c.Events())
		messages, goOnToo := blocked(c.Messages())
		synctest.Wait()
		srv.Put(testkit.Listing()) // is in the subscribers' hands
		synctest.Wait()
		for i := range waiting + more {
			srv.Delete("e1", i)
		}
		synctest.Wait()
		if s := c.Stats().State; s.Deletes != waiting+more {
			t.Errorf("subscribers that wait hold up others: %+v", s)
		}
		goOn()
		goOnToo()
		got := messages.Take()
		if len(got) != 1+waiting || got[1].Environment.Version != more || got[waiting].Environment.Version != more+waiting-1 {
			t.Errorf("got %d messages, from %v to %v", len(got), got[1].Environment, got[len(got)-1].Environment)
		}
		kept := events.Take()
		if len(kept) != 1+waiting {
			t.Errorf("got %d events", len(kept))
		}
		for i, e := range kept[1:] { // whose data is still their own
			if want := fmt.Sprintf(`"version":%d}`, more+i); !strings.HasSuffix(string(e.Data), want) {
				t.Fatalf("event %d ends with %q, want %q", i+1, e.Data[max(0, len(e.Data)-len(want)):], want)
			}
		}
	})
}

// TestCloseCompletesObservables checks that Close completes all observables, those of later subscriptions
// included, and that they fail with the cause of the context given to Open.
func TestCloseCompletesObservables(t *testing.T) {
	gone := errors.New("gone")
	for name, want := range map[string]error{"Close": nil, "context": gone} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
				ctx, cancel := context.WithCancelCause(context.Background())
				c, err := autoconfig.Open(ctx, testkit.Key, testkit.To(srv))
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				// What waits for a subscriber when the end comes is delivered before.
				changes, release := blocked(c.Changes())
				synctest.Wait()
				srv.Patch(testkit.Environment("e1", 2))
				early := []func() error{testkit.Watch(c.Events()).End, testkit.Watch(c.Messages()).End, changes.End}
				statuses := testkit.Watch(c.Status())
				synctest.Wait()
				if want != nil {
					cancel(want)
				}
				c.Close()
				release()
				for i, end := range append(early, testkit.Watch(c.Events()).End, testkit.Watch(c.Messages()).End, testkit.Watch(c.Changes()).End) {
					if err := end(); err != want {
						t.Errorf("observable %d ended with %v, want %v", i, err, want)
					}
				}
				if err := statuses.End(); err != nil {
					t.Errorf("Status ended with %v", err)
				}
				if got := testkit.Describe(changes.Take()); len(got) != 3 {
					t.Errorf("got %q", got)
				}
				cancel(nil)
			})
		})
	}
}

// TestKeysExpireWhileDisconnected checks that keys expire on time and once while the client is disconnected,
// and that a server that does not know yet does not bring them back.
func TestKeysExpireWhileDisconnected(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		at := time.Now().Add(10 * time.Minute)
		e := testkit.Environment("e1", 1)
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "sdk-old", Timestamp: at.UnixMilli()}
		srv.Put(testkit.Listing(e))
		srv.Next(nil, autoconfigtest.Answer(503, map[string][]string{"Retry-After": {"1800"}}, ""))
		o := testkit.To(srv)
		o.IdleTimeout = 24 * time.Hour
		c := testkit.Open(t, o)
		changes := testkit.Watch(stream.Map(c.Changes(), lineOf))
		synctest.Wait()
		srv.EndConnections()
		testkit.Pass(time.Until(at) - time.Millisecond)
		testkit.Expect(t, "before", changes.Take(), "added e1 Env e1 in Project (proj/e1-key) sdk=sdk-e1 mob=mob-e1 old=sdk-old@2000-01-01T00:10:00Z", "synced")
		testkit.Pass(time.Millisecond)
		testkit.Expect(t, "at the time", changes.Take(), "expired e1 sdk-old")
		testkit.Pass(time.Hour)
		testkit.Expect(t, "after", changes.Take(), "synced")
		if old := c.Snapshot().Environments[0].SDKKey.Expiring; old.Value != "" {
			t.Errorf("the expired key is still there: %v", old)
		}
	})
}

// A registry is a context that never ends and counts who is registered to hear of its end.
type registry struct {
	context.Context
	done       chan struct{}
	registered atomic.Int32
}

func (r *registry) Done() <-chan struct{} { return r.done }

// AfterFunc is what package context registers the children of a foreign context with.
func (r *registry) AfterFunc(func()) (stop func() bool) {
	r.registered.Add(1)
	return func() bool {
		r.registered.Add(-1)
		return true
	}
}

// TestEndedClientIsReleased checks that a client that has ended, for whatever reason, is not registered with
// the context given to Open any more.
func TestEndedClientIsReleased(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		for name, end := range map[string]func(c *autoconfig.Client){
			"closed": (*autoconfig.Client).Close,
			"failed": func(*autoconfig.Client) {
				srv.Next(autoconfigtest.Status(204))
				srv.EndConnections()
				testkit.Pass(time.Minute)
			},
		} {
			ctx := &registry{Context: context.Background(), done: make(chan struct{})}
			o := with(&memoryCache{}, srv)
			o.Logger = testkit.Censored(t)
			c, err := autoconfig.Open(ctx, testkit.Key, o)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if ctx.registered.Load() == 0 {
				t.Error("a client at work is not registered")
			}
			end(c)
			if n := ctx.registered.Load(); n != 0 || c.Stats().Status.State != autoconfig.Off {
				t.Errorf("%s: %d registrations are left", name, n)
			}
		}
	})
}

// TestUnchangedKeysAreShared checks that versions of an environment with the same keys share them: the
// decoder looks up what the state holds.
func TestUnchangedKeysAreShared(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(concurrent(testkit.Environment("e1", 1), "sdk-1", "sdk-2")))
		c := testkit.Open(t, testkit.To(srv))
		synctest.Wait()
		before := c.Snapshot().Environments[0]
		srv.Patch(concurrent(testkit.Environment("e1", 2), "sdk-1", "sdk-2"))
		synctest.Wait()
		if after := c.Snapshot().Environments[0]; after.Version != 2 || &after.SDKKeys[0] != &before.SDKKeys[0] {
			t.Errorf("version %d has a copy of the keys of version %d", after.Version, before.Version)
		}
		c.Close()
	})
}

// TestNoAttemptFollowsTheEnd checks that the status of a client that was closed while it waited to retry
// announces no attempt.
func TestNoAttemptFollowsTheEnd(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(autoconfigtest.Status(503))
		c := testkit.Open(t, testkit.To(srv))
		synctest.Wait()
		c.Close()
		if s := c.Stats().Status; s.State != autoconfig.Off || !s.NextAttempt.IsZero() {
			t.Errorf("the status is %+v", s)
		}
	})
}
