package autoconfig_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A failure is why a connection or attempt ended, and the delay that followed.
type failure struct {
	err   error
	delay time.Duration
}

// failures runs a client for a time and returns its failures. It fails the test if an attempt does not begin at
// the time that Status.NextAttempt announced.
func failures(t *testing.T, o *autoconfig.Options, d time.Duration) []failure {
	t.Helper()
	c, statuses, attempts := observed(t, o)
	testkit.Pass(d)
	c.Close()
	var found []failure
	for _, s := range statuses.Stop() {
		if s.NextAttempt.IsZero() {
			continue
		}
		found = append(found, failure{s.Err, s.NextAttempt.Sub(s.At)})
		if n := len(found); n < len(*attempts) && !(*attempts)[n].Equal(s.NextAttempt) {
			t.Errorf("attempt %d was made at %v, and announced for %v", n+1, (*attempts)[n], s.NextAttempt)
		}
	}
	return found
}

// observed opens a client whose first attempt begins when its status is being watched, and records the times of
// attempts. It returns when the first attempt has led to all that it leads to at once.
func observed(t *testing.T, o *autoconfig.Options) (*autoconfig.Client, *testkit.Watcher[autoconfig.Status], *[]time.Time) {
	t.Helper()
	watched, attempts, key := make(chan struct{}), new([]time.Time), o.Key
	with := *o
	with.Key = func(ctx context.Context) (autoconfig.AutoConfigKey, error) {
		<-watched
		*attempts = append(*attempts, time.Now())
		if key != nil {
			return key(ctx)
		}
		return testkit.Key, nil
	}
	c := testkit.Open(t, &with)
	statuses := testkit.Watch(c.Status())
	synctest.Wait()
	close(watched)
	synctest.Wait()
	return c, statuses, attempts
}

// expectDelays fails the test unless the delays follow a schedule, minus a jitter of up to a half.
func expectDelays(t *testing.T, got []failure, schedule ...time.Duration) {
	t.Helper()
	if len(got) < len(schedule) {
		t.Fatalf("%d failures, want %d or more: %v", len(got), len(schedule), got)
	}
	for i, d := range schedule {
		if delay := got[i].delay; delay < d/2 || delay > d {
			t.Errorf("delay %d after %v is %v, want %v to %v", i+1, got[i].err, delay, d/2, d)
		}
	}
}

// event returns an event as on the wire.
func event(name, data string) string { return fmt.Sprintf("event: %s\ndata: %s\n\n", name, data) }

const (
	emptyPut = `{"path":"/","data":{"environments":{}}}`
	// contradictory is an environment whose current key is not one of those that it accepts.
	contradictory = `{"envID":"e1","sdkKey":{"value":"sdk-1"},"sdkKeys":[{"value":"sdk-2"}],"version":1}`
)

// repeat returns n times the same fault.
func repeat(n int, fault autoconfigtest.Fault) []autoconfigtest.Fault {
	return slices.Repeat([]autoconfigtest.Fault{fault}, n)
}

// body returns a fault that answers with an event stream that consists of raw.
func body(raw string) autoconfigtest.Fault {
	return autoconfigtest.Answer(http.StatusOK, http.Header{"Content-Type": {"text/event-stream"}}, raw)
}

func TestFailuresThatTakeTheNormalSchedule(t *testing.T) {
	offline := errors.New("no network")
	unavailable := errors.New("no key")
	for _, test := range []struct {
		name  string
		fault autoconfigtest.Fault
		alter func(o *autoconfig.Options)
		cause error
		code  int
	}{
		{name: "end of the stream", fault: body(""), cause: sse.ErrEndOfStream},
		{name: "end after a put", fault: body(event("put", emptyPut)), cause: sse.ErrEndOfStream},
		{name: "connection lost", fault: autoconfigtest.Cut(0)},
		{name: "500", fault: autoconfigtest.Status(500), code: 500},
		{name: "503", fault: autoconfigtest.Status(503), code: 503},
		{name: "400", fault: autoconfigtest.Status(400), code: 400},
		{name: "404", fault: autoconfigtest.Status(404), code: 404},
		{name: "408", fault: autoconfigtest.Status(408), code: 408},
		{name: "429", fault: autoconfigtest.Status(429), code: 429},
		{name: "not an event stream", fault: autoconfigtest.Header("Content-Type", "text/html")},
		{name: "no answer", fault: autoconfigtest.Hang(), cause: sse.ErrConnectTimeout},
		{name: "silence", fault: autoconfigtest.Stall(0), cause: sse.ErrIdle,
			alter: func(o *autoconfig.Options) { o.IdleTimeout = 30 * time.Second }},
		{name: "redirect to plain http", fault: autoconfigtest.Redirect("http://stream.example.com"), cause: sse.ErrPlainHTTP},
		{name: "malformed message", fault: autoconfigtest.Malformed()},
		{name: "event too large", fault: autoconfigtest.HugeEvent(2000), cause: sse.ErrEventTooLarge,
			alter: func(o *autoconfig.Options) { o.MaxEventSize = 1000 }},
		{name: "environment refused", cause: decode.ErrAnchor,
			fault: body(event("patch", `{"path":"/environments/e1","data":`+contradictory+`}`))},
		{name: "request to reconnect before a put", fault: body(event("reconnect", "")), cause: decode.ErrReconnect},
		{name: "no network", cause: offline, alter: func(o *autoconfig.Options) {
			dial := func(context.Context, string, string) (net.Conn, error) { return nil, offline }
			o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial}}
		}},
		{name: "key provider fails", cause: unavailable, alter: func(o *autoconfig.Options) {
			o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return "", unavailable }
		}},
		{name: "key provider returns an impossible key", cause: autoconfig.ErrInvalidKey, alter: func(o *autoconfig.Options) {
			o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return "two\nlines", nil }
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Next(repeat(3, test.fault)...)
				o := testkit.To(srv)
				if test.alter != nil {
					test.alter(o)
				}
				got := failures(t, o, 20*time.Minute)
				expectDelays(t, got, time.Second, 2*time.Second, 4*time.Second)
				if test.cause != nil && !errors.Is(got[0].err, test.cause) {
					t.Errorf("it failed with %v, want %v", got[0].err, test.cause)
				}
				if status := (*sse.StatusError)(nil); test.code != 0 && (!errors.As(got[0].err, &status) || status.Code != test.code) {
					t.Errorf("it failed with %v, want status %d", got[0].err, test.code)
				}
			})
		})
	}
}

// TestDelaysDoubleTo30Seconds checks that delays double up to 30 s and are spread over the whole range of
// the jitter, however long it goes on, and whether or not a connection was open.
func TestDelaysDoubleTo30Seconds(t *testing.T) {
	for name, fault := range map[string]autoconfigtest.Fault{
		"refused":                              autoconfigtest.Status(503),
		"the same malformed put on connecting": autoconfigtest.Malformed(),
	} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				const capped = 200
				srv.Next(repeat(5+capped, fault)...)
				got := failures(t, testkit.To(srv), capped*31*time.Second)
				schedule := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
				expectDelays(t, got, append(schedule, slices.Repeat([]time.Duration{30 * time.Second}, capped)...)...)
				byDelay := func(a, b failure) int { return int(a.delay - b.delay) }
				shortest, longest := slices.MinFunc(got[5:], byDelay).delay, slices.MaxFunc(got[5:], byDelay).delay
				if shortest > 17*time.Second || longest < 28*time.Second { // by chance once in 10¹¹ runs
					t.Errorf("%d delays of 15 to 30 s lie between %v and %v", capped, shortest, longest)
				}
			})
		})
	}
}

// TestDelayStartsAfreshAfterAMinute checks that the delay returns to its base after a connection that was
// open for a minute, whatever events it brought.
func TestDelayStartsAfreshAfterAMinute(t *testing.T) {
	for _, test := range []struct {
		name      string
		open      time.Duration
		heartbeat time.Duration // 0 for none
		next      time.Duration
	}{
		{"quiet, for less", 59 * time.Second, 0, 8 * time.Second},
		{"quiet", 60 * time.Second, 0, time.Second},
		{"busy, for less", 59 * time.Second, 500 * time.Millisecond, 8 * time.Second},
		{"busy to the end", 60 * time.Second, 500 * time.Millisecond, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Put(testkit.Listing())
				srv.Next(repeat(3, autoconfigtest.Status(503))...)
				c, statuses, _ := observed(t, testkit.To(srv))
				if err := srv.AwaitConnections(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				end := time.Now().Add(test.open)
				if test.heartbeat > 0 {
					for time.Now().Add(test.heartbeat).Before(end) {
						time.Sleep(test.heartbeat)
						srv.SendEvent("patch", `{"path":"/environments/e1","data":{"envID":"e1"}}`)
					}
				}
				testkit.Pass(time.Until(end))
				statuses.Take()
				srv.EndConnections()
				last := statuses.Take()
				c.Close()
				expectDelays(t, []failure{{last[0].Err, last[0].NextAttempt.Sub(last[0].At)}}, test.next)
			})
		})
	}
}

// TestServerSetsTheBaseDelay checks that a retry field sets the base delay, within bounds that prevent both
// a hot loop and an endless wait.
func TestServerSetsTheBaseDelay(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		retry    string
		schedule []time.Duration
	}{
		{"5000", []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second}},
		{"1", []time.Duration{ms, 2 * ms, 4 * ms, 8 * ms}},
		{"0", []time.Duration{0, ms, 2 * ms, 4 * ms, 8 * ms}}, // the first may be immediate
		{"45000", []time.Duration{45 * time.Second, 45 * time.Second}},
		{"3600000", []time.Duration{time.Hour, time.Hour}},
		{"3600001", []time.Duration{time.Hour, time.Hour}},
		{"9223372036854775807", []time.Duration{time.Hour, time.Hour}},
		{"99999999999999999999999999", []time.Duration{time.Hour, time.Hour}}, // overflows an int64
		{"-1", []time.Duration{7 * time.Second, 14 * time.Second}},            // no number: the caller's delay holds
		{"1s", []time.Duration{7 * time.Second, 14 * time.Second}},
	} {
		t.Run(test.retry, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				// Each connection says it again, which must not begin the schedule anew.
				srv.Next(repeat(len(test.schedule), body("retry: "+test.retry+"\n\n"))...)
				o := testkit.To(srv)
				o.InitialRetryDelay = 7 * time.Second
				expectDelays(t, failures(t, o, 3*time.Hour), test.schedule...)
			})
		})
	}
}

// TestServerChangesTheBaseDelay checks that a changed base delay does not reset the growth, however often it
// changes.
func TestServerChangesTheBaseDelay(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name     string
		retries  []string // of one connection after the other, empty for none, and over again
		schedule []time.Duration
	}{
		{"it stays when nothing is said", []string{"2000", "", "3000", ""},
			[]time.Duration{2 * time.Second, 4 * time.Second, 12 * time.Second, 24 * time.Second}},
		{"a little, to and fro", []string{"1000", "1001"},
			[]time.Duration{1000 * ms, 2002 * ms, 4000 * ms, 8008 * ms, 16000 * ms, 30 * time.Second, 30 * time.Second}},
		{"with none", []string{"0", "1"}, // which is granted once, and then grows from 1 ms
			[]time.Duration{0, 2 * ms, 2 * ms, 8 * ms, 8 * ms, 32 * ms, 32 * ms, 128 * ms}},
		{"with none, later", []string{"1", "0"}, []time.Duration{ms, ms, 4 * ms, 4 * ms, 16 * ms, 16 * ms}},
		{"with more than 30 s", []string{"45000", "1000", "45000"},
			[]time.Duration{45 * time.Second, 2 * time.Second, 45 * time.Second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				for i := range test.schedule {
					retry := test.retries[i%len(test.retries)]
					if retry != "" {
						retry = "retry: " + retry + "\n"
					}
					srv.Next(body(retry + event("put", "malformed")))
				}
				expectDelays(t, failures(t, testkit.To(srv), 3*time.Minute), test.schedule...)
			})
		})
	}
}

func TestInitialRetryDelay(t *testing.T) {
	for _, test := range []struct {
		initial  time.Duration
		schedule []time.Duration
	}{
		{0, []time.Duration{autoconfig.DefaultInitialRetryDelay}},
		{100 * time.Millisecond, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}},
		{time.Minute, []time.Duration{time.Minute, time.Minute}}, // longer than where doubling ends
	} {
		t.Run(test.initial.String(), func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Next(repeat(2, autoconfigtest.Status(503))...)
				o := testkit.To(srv)
				o.InitialRetryDelay = test.initial
				expectDelays(t, failures(t, o, 3*time.Minute), test.schedule...)
			})
		})
	}
	if autoconfig.DefaultInitialRetryDelay != time.Second {
		t.Error("DefaultInitialRetryDelay is not the documented one")
	}
}

// TestRetryAfter checks that the delay is at least that of Retry-After, with up to a half more at random,
// and that a longer normal delay wins.
func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		value    string
		min, max time.Duration // with a normal delay of 5 to 10 s
	}{
		{"20", 20 * time.Second, 20 * time.Second},
		{"3600", time.Hour, time.Hour},
		{"3601", time.Hour, time.Hour},
		{"99999999999999999999", time.Hour, time.Hour}, // overflows an int64
		{"4", 5 * time.Second, 10 * time.Second},
		{"0", 5 * time.Second, 10 * time.Second},
		{"-1", 5 * time.Second, 10 * time.Second},
		{"soon", 5 * time.Second, 10 * time.Second},
		{"Sat, 01 Jan 2000 00:00:30 GMT", 30 * time.Second, 30 * time.Second}, // a bubble's clock begins at 00:00:00
		{"Sun, 02 Jan 2000 00:00:00 GMT", time.Hour, time.Hour},
		{"Fri, 31 Dec 1999 23:59:59 GMT", 5 * time.Second, 10 * time.Second},
	} {
		for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			t.Run(fmt.Sprint(code, " ", test.value), func(t *testing.T) {
				testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
					srv.Next(autoconfigtest.Answer(code, http.Header{"Retry-After": {test.value}}, ""))
					o := testkit.To(srv)
					o.InitialRetryDelay = 10 * time.Second
					got := failures(t, o, time.Second)
					if len(got) != 1 || got[0].delay < test.min || got[0].delay > max(test.max, test.min+test.min/2) {
						t.Errorf("failures %v, want one with a delay of %v, or up to a half more, to %v", got, test.min, test.max)
					}
				})
			})
		}
	}
}

// TestRejectedKeyIsRetriedSlowly checks the slow schedule of a rejected key, and that a connection that
// opens ends it.
func TestRejectedKeyIsRetriedSlowly(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		unauthorized, forbidden := autoconfigtest.Status(401), autoconfigtest.Status(403)
		srv.Next(unauthorized, forbidden, unauthorized, forbidden, unauthorized, unauthorized,
			body(""), unauthorized, unauthorized)
		expectDelays(t, failures(t, testkit.To(srv), 10*time.Hour),
			5*time.Minute, 10*time.Minute, 20*time.Minute, 40*time.Minute, time.Hour, time.Hour,
			time.Second, 5*time.Minute, 10*time.Minute)
	})
}

// TestReconnectAtOnce checks that the client follows a request to reconnect within a second, at random, but
// not twice within a minute.
func TestReconnectAtOnce(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		o := testkit.To(srv)
		o.InitialRetryDelay = 10 * time.Second
		c, statuses, _ := observed(t, o)
		reconnect := func() time.Duration {
			statuses.Take()
			srv.Reconnect()
			last := statuses.Take()
			return last[0].NextAttempt.Sub(last[0].At)
		}
		const rounds = 100
		var shortest, longest time.Duration = time.Hour, 0
		for range rounds {
			if err := srv.AwaitConnections(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			first := time.Now()
			delay := reconnect()
			shortest, longest = min(shortest, delay), max(longest, delay)

			testkit.Pass(59*time.Second - time.Since(first))
			if delay := reconnect(); delay < 5*time.Second {
				t.Fatalf("the second request within a minute was followed after %v", delay)
			}
			testkit.Pass(time.Minute - time.Since(first))
		}
		if longest >= time.Second {
			t.Errorf("a delay is %v", longest)
		}
		if shortest > 200*time.Millisecond || longest < 800*time.Millisecond { // by chance once in 10⁹ runs
			t.Errorf("%d delays of up to a second lie between %v and %v", rounds, shortest, longest)
		}
		c.Close()
	})
}

// TestFailuresThatArePermanent checks that a permanent failure ends the client and its observables with its
// error.
func TestFailuresThatArePermanent(t *testing.T) {
	status := func(code int) func(error) bool {
		return func(err error) bool {
			failed := (*sse.StatusError)(nil)
			return errors.As(err, &failed) && failed.Code == code
		}
	}
	stop := func(o *autoconfig.Options) { o.StopOnRejectedKey = true }
	unavailable := errors.New("no key any more")
	for _, test := range []struct {
		name  string
		fault autoconfigtest.Fault
		alter func(o *autoconfig.Options)
		cause func(error) bool
	}{
		{"204", autoconfigtest.Status(204), nil, status(204)},
		{"401 that is to be fatal", autoconfigtest.Status(401), stop, status(401)},
		{"403 that is to be fatal", autoconfigtest.Status(403), stop, status(403)},
		{"key provider gives up", nil, func(o *autoconfig.Options) {
			o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return "", backoff.Permanent(unavailable) }
		}, func(err error) bool { return errors.Is(err, unavailable) }},
	} {
		for _, good := range []bool{false, true} {
			if good && test.fault == nil {
				continue // it never comes to a good start
			}
			t.Run(fmt.Sprintf("%s, good start: %t", test.name, good), func(t *testing.T) {
				testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
					srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
					if good {
						srv.Next(nil)
					}
					srv.Next(test.fault)
					o := testkit.To(srv)
					if test.alter != nil {
						test.alter(o)
					}
					expectPermanent(t, srv, o, good, test.cause)
				})
			})
		}
	}
}

func expectPermanent(t *testing.T, srv *autoconfigtest.Server, o *autoconfig.Options, good bool, cause func(error) bool) {
	t.Helper()
	c, statuses, attempts := observed(t, o)
	changes, events, messages := testkit.Watch(c.Changes()), testkit.Watch(c.Events()), testkit.Watch(c.Messages())
	synctest.Wait()
	srv.EndConnections()
	for what, err := range map[string]error{
		"Changes": changes.End(), "Events": events.End(), "Messages": messages.End(), "a later Changes": testkit.Watch(c.Changes()).End(),
	} {
		if !cause(err) {
			t.Errorf("%s ended with %v", what, err)
		}
	}
	if err := c.Ready(t.Context()); good && err != nil || !good && !cause(err) {
		t.Errorf("Ready returns %v, good start: %t", err, good)
	}
	if err := statuses.End(); err != nil {
		t.Errorf("Status ended with %v, want completion", err)
	}
	all := statuses.Take()
	if last := all[len(all)-1]; last.State != autoconfig.Off || !cause(last.Err) || !last.NextAttempt.IsZero() || last != c.Stats().Status {
		t.Errorf("the last status is %+v", last)
	}
	made := len(*attempts)
	testkit.Pass(24 * time.Hour)
	if len(*attempts) != made {
		t.Errorf("%d attempts were made after the end", len(*attempts)-made)
	}
}
