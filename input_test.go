package autoconfig_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// lines returns the level and message of each record.
func lines(records []slog.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Level.String()+" "+r.Message)
	}
	return all
}

// TestInputThatIsNotAsItShouldBe sends bad input to a client that knows e1 in version 5 and filter f1 in
// version 1. It checks the log, the changes, and whether the client reconnects. The log must not show values
// of the payload, all of which contain "payload".
func TestInputThatIsNotAsItShouldBe(t *testing.T) {
	const (
		malformed = "ERROR malformed event"
		ignored   = " message ignored"
		stale     = "DEBUG ignored: version is not newer"
	)
	patch := func(path, data string) string { return event("patch", `{"path":"`+path+`","data":`+data+`}`) }
	put := func(data string) string { return event("put", `{"path":"/","data":`+data+`}`) }
	for _, test := range []struct {
		name string
		raw  string
		// log is what is logged: of an error that ends the connection, and of what else is passed over.
		log     []string
		cause   error // in the last of these
		event   string
		changes []string
		anew    bool
	}{
		{name: "patch is not JSON", raw: event("patch", `{"path":"/environments/e1","data":{"envName":payload`), log: []string{malformed}, event: "patch", anew: true},
		{name: "put is not JSON", raw: event("put", `payload`), log: []string{malformed}, event: "put", anew: true},
		{name: "delete is not JSON", raw: event("delete", `{payload`), log: []string{malformed}, event: "delete", anew: true},
		{name: "wrong type", raw: patch("/environments/e1", `{"envID":"e1","sdkKey":"payload-key","version":6}`), log: []string{malformed}, event: "patch", anew: true},
		{name: "wrong type in a put", raw: put(`{"environments":{"e1":{"envID":"e1","version":"payload"}}}`), log: []string{malformed}, event: "put", anew: true},
		{name: "put without data", raw: event("put", `{"path":"/"}`), log: []string{malformed}, event: "put", anew: true},
		{name: "put with null data", raw: put(`null`), log: []string{malformed}, event: "put", anew: true},
		{name: "put without environments", raw: put(`{"filters":{}}`), log: []string{malformed}, event: "put", anew: true},
		{name: "put with null environments", raw: put(`{"environments":null}`), log: []string{malformed}, event: "put", anew: true},
		{name: "version beyond int64", raw: patch("/environments/e1", `{"envID":"e1","version":9223372036854775808}`), log: []string{malformed}, event: "patch", anew: true},
		{name: "negative version", raw: patch("/environments/e1", `{"envID":"e1","version":-1}`), log: []string{malformed}, event: "patch", anew: true},
		{name: "negative version in a put", raw: put(`{"environments":{"e1":{"envID":"e1","version":-1}}}`), log: []string{malformed}, event: "put", anew: true},
		{name: "negative version of a delete", raw: event("delete", `{"path":"/environments/e1","version":-1}`), log: []string{malformed}, event: "delete", anew: true},
		{name: "too large", raw: event("patch", strings.Repeat("payload ", 1000)), log: []string{"ERROR event too large"}, cause: sse.ErrEventTooLarge, anew: true},

		{name: "put of a part", raw: event("put", `{"path":"/environments","data":{"environments":{}}}`), log: []string{"INFO" + ignored}, cause: decode.ErrPutPath},
		{name: "unknown event", raw: event("payload_event", `payload`), log: []string{"WARN" + ignored}, cause: decode.ErrUnknownEvent},
		{name: "event without a name", raw: "data: payload\n\n", log: []string{"WARN" + ignored}, cause: decode.ErrUnknownEvent},
		{name: "block without data is no event", raw: "event: unknown\nid: 7\n\n:\n\n"},
		{name: "patch of an unknown kind", raw: patch("/segments/s1", `{"payload":1}`), log: []string{"DEBUG" + ignored}, cause: decode.ErrUnknownPath},
		{name: "delete of an unknown kind", raw: event("delete", `{"path":"/segments/s1","version":1}`), log: []string{"DEBUG" + ignored}, cause: decode.ErrUnknownPath},

		{name: "another ID than the path's", raw: patch("/environments/e1", `{"envID":"e2","envName":"payload","version":6}`), log: []string{"WARN" + ignored}, cause: decode.ErrWrongID},
		{name: "another ID than the map key", raw: put(`{"environments":{"e1":{"envID":"e2","version":6},"e3":{"envID":"e3","version":1}}}`),
			log:     []string{"INFO received configuration", "WARN" + ignored, "INFO environment added", "INFO filter deleted", "INFO synced"}, // e1 counts as listed
			changes: []string{"environment added: e3 ( ) version 1", "filter deleted: f1 ( ) version 1", "synced"}},

		{name: "malformed filter", raw: patch("/filters/f1", `{"version":"payload"}`), log: []string{"WARN" + ignored}, event: "patch"},
		{name: "malformed delete of a filter", raw: event("delete", `{"path":"/filters/f1","version":-2}`), log: []string{"WARN" + ignored}, event: "delete"},
		{name: "malformed filter in a put", raw: put(`{"environments":{"e3":{"envID":"e3","version":1}},"filters":{"f1":{"version":"payload"},"f2":{"version":1}}}`),
			log: []string{"INFO received configuration", "WARN" + ignored, "INFO environment added", "INFO environment deleted", "INFO filter added", "INFO synced"},
			changes: []string{"environment added: e3 ( ) version 1", "environment deleted: e1 (Project Env e1) version 5",
				"filter added: f2 ( ) version 1", "synced"}}, // f1 counts as listed
		{name: "malformed filters in a put", raw: put(`{"environments":{"e3":{"envID":"e3","version":1}},"filters":"payload"}`),
			log:     []string{"INFO received configuration", "WARN" + ignored, "INFO environment added", "INFO environment deleted", "INFO synced"},
			changes: []string{"environment added: e3 ( ) version 1", "environment deleted: e1 (Project Env e1) version 5", "synced"}},

		{name: "keys contradict each other", raw: patch("/environments/e1", `{"envID":"e1","sdkKey":{"value":"payload-1"},"sdkKeys":[{"value":"payload-2"}],"version":6}`),
			log: []string{"ERROR environment refused"}, cause: decode.ErrAnchor, anew: true},
		{name: "mobile keys contradict each other", raw: patch("/environments/e1", `{"envID":"e1","mobKey":"payload-1","mobileKeys":[{"value":"payload-2"}],"version":6}`),
			log: []string{"ERROR environment refused"}, cause: decode.ErrAnchor, anew: true},
		{name: "keys of one environment of a put contradict each other",
			raw:     put(`{"environments":{"e1":{"envID":"e1","sdkKey":{"value":"payload-1"},"sdkKeys":[{"value":"payload-2"}],"version":6},"e3":{"envID":"e3","version":1}},"filters":{"f1":{"version":1}}}`),
			log:     []string{"INFO received configuration", "ERROR environment refused", "INFO environment added", "INFO synced", "ERROR environment refused"},
			changes: []string{"environment added: e3 ( ) version 1", "synced"}, cause: decode.ErrAnchor, anew: true},

		{name: "late patch", raw: patch("/environments/e1", `{"envID":"e1","version":5}`), log: []string{stale}},
		{name: "late delete", raw: event("delete", `{"path":"/environments/e1","version":5}`), log: []string{stale}},
		{name: "late patch of a filter", raw: patch("/filters/f1", `{"version":1}`), log: []string{stale}},
		{name: "late entry of a put", raw: put(`{"environments":{"e1":{"envID":"e1","version":4}},"filters":{"f1":{"version":0}}}`),
			log: []string{"INFO received configuration", stale, stale, "INFO synced"}, changes: []string{"synced"}},

		{name: "request to reconnect", raw: event("reconnect", "payload"), log: []string{"INFO reconnecting at the server's request"}, cause: decode.ErrReconnect, anew: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				o, log := testkit.To(srv), new(testkit.Logbook)
				o.Logger, o.MaxEventSize = log.Logger(), 2000
				first := testkit.Listing(testkit.Environment("e1", 5))
				first.Filters = map[autoconfig.FilterID]autoconfig.FilterRep{"f1": {Version: 1}}
				srv.Put(first)
				c := testkit.Open(t, o)
				changes := testkit.Watch(c.Changes())
				changes.Take()
				taken(log)

				srv.SendRaw([]byte(test.raw))
				testkit.Expect(t, "changes", testkit.Describe(changes.Take()), test.changes...)
				records := taken(log)
				testkit.Expect(t, "log", lines(records), test.log...)
				expectCause(t, records, test.cause, test.event)
				if got := testkit.Describe([]autoconfig.Change{{Kind: autoconfig.EnvironmentAdded, New: c.Snapshot().Environments[0]}}); test.changes == nil {
					testkit.Expect(t, "state", got, "environment added: e1 (Project Env e1) version 5")
				}
				testkit.Pass(time.Minute)
				if anew := c.Stats().Attempts > 1; anew != test.anew {
					t.Errorf("connected anew: %t, want %t", anew, test.anew)
				}
			})
		})
	}
}

// expectCause fails the test if the last error in the records is not the wanted one, or if a record shows a value
// of the payload.
func expectCause(t *testing.T, records []slog.Record, cause error, event string) {
	t.Helper()
	var last error
	for _, r := range records {
		r.Attrs(func(a slog.Attr) bool {
			if text := fmt.Sprintf("%+v", a.Value.Any()); strings.Contains(strings.ReplaceAll(text, "payload_event", ""), "payload") {
				t.Errorf("%q shows payload in %s=%s", r.Message, a.Key, text)
			}
			return true
		})
		if err, ok := testkit.Attr(r, "error").(error); ok {
			last = err
		}
	}
	if cause != nil && !errors.Is(last, cause) {
		t.Errorf("logged error %v, want %v", last, cause)
	}
	if malformed := (*decode.MalformedError)(nil); event != "" && (!errors.As(last, &malformed) || malformed.Event != event) {
		t.Errorf("logged error %v, want a malformed %q", last, event)
	}
}

// TestLog checks the levels and messages that an operator relies on.
func TestLog(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		o, log := testkit.To(srv), new(testkit.Logbook)
		o.Logger = log.Logger()
		o.BaseURI = strings.Replace(srv.URL, "://", "://user:password@", 1) + "?token=1"
		o.StopOnRejectedKey = true
		srv.Next(autoconfigtest.Status(503))
		c := testkit.Open(t, o)
		testkit.Pass(0)
		records := taken(log)
		testkit.Expect(t, "at first", lines(records), "INFO connecting", "WARN connection lost")
		if url, want := testkit.Attr(records[0], "url"), srv.URL+"/relay_auto_config"; url != want {
			t.Errorf("connecting to %v, want %v without password and query", url, want)
		}
		if delay, err := testkit.Attr(records[1], "retry_in"), testkit.Attr(records[1], "error"); delay != time.Until(c.Stats().Status.NextAttempt) || err != c.Stats().Status.Err {
			t.Errorf("connection lost for %v, to be retried in %v", err, delay)
		}

		e := testkit.Environment("e1", 1)
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "sdk-old-old-old", Timestamp: time.Now().Add(time.Hour).UnixMilli()}
		srv.Put(testkit.Listing(e))
		testkit.Pass(time.Second)
		records = taken(log)
		testkit.Expect(t, "then", lines(records), "INFO connecting", "INFO received configuration", "INFO environment added", "WARN key will expire", "INFO synced")
		testkit.Expect(t, "attributes", attrs(records[2], "environment", "project", "name", "version"), "e1", "Project", "Env e1", "1")
		testkit.Expect(t, "attributes", attrs(records[3], "environment", "key"), "e1", "SDK key ***-old")

		e.Version++
		srv.Patch(e)
		srv.PatchFilter("f1", autoconfig.FilterRep{ProjKey: "proj", Version: 3})
		srv.PatchFilter("f1", autoconfig.FilterRep{ProjKey: "proj", Version: 4})
		srv.DeleteFilter("f1", 5)
		srv.Patch(testkit.Environment("e2", 1))
		srv.Delete("e2", 2)
		synctest.Wait()
		records = taken(log)
		testkit.Expect(t, "patched", lines(records), "INFO environment updated", "INFO filter added", "INFO filter updated", "INFO filter deleted",
			"INFO environment added", "INFO environment deleted")
		testkit.Expect(t, "attributes", attrs(records[2], "filter", "project", "version"), "f1", "proj", "4")

		for range 20 { // three minutes apart, because an hour of silence would end the connection
			srv.Heartbeat()
			testkit.Pass(3 * time.Minute)
		}
		records = taken(log)
		testkit.Expect(t, "an hour later", lines(records), "WARN key expired")
		testkit.Expect(t, "attributes", attrs(records[0], "environment", "key"), "e1", "SDK key ***-old")

		srv.Next(autoconfigtest.Status(401))
		srv.EndConnections()
		testkit.Pass(time.Second)
		testkit.Expect(t, "at last", lines(taken(log)), "WARN connection lost", "INFO connecting", "ERROR auto-configuration key rejected; giving up")
	})
}

// TestPutWithoutEnvironments is an account without any, as some encoders tell it: an empty configuration where it
// deletes nothing, even if a saved one is loaded a moment later, and malformed where it would delete something.
func TestPutWithoutEnvironments(t *testing.T) {
	for _, raw := range []string{`{"path":"/"}`, `{"path":"/","data":null}`, `{"path":"/","data":{}}`, `{"path":"/","data":{"environments":null}}`} {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			earlier := autoconfigtest.NewPipeServer(testkit.Key)
			defer earlier.Close()
			earlier.Put(testkit.Listing(testkit.Environment("e1", 1)))
			goOn := make(chan struct{})
			cache := &memoryCache{data: savedBy(t, earlier), onLoad: deaf(goOn)}
			c := testkit.Open(t, with(cache, srv))
			synctest.Wait()
			srv.SendEvent("put", raw)
			synctest.Wait()
			close(goOn)
			testkit.Pass(time.Second)
			if got := c.Snapshot().String(); got != "0 environments, 0 filters, synced" {
				t.Errorf("%s: %s", raw, got)
			}
			srv.Patch(testkit.Environment("e1", 1))
			srv.SendEvent("put", raw)
			testkit.Pass(time.Minute)
			if got := c.Stats(); got.Malformed != 1 || got.State.Environments != 1 {
				t.Errorf("%s: %d malformed, %d environments", raw, got.Malformed, got.State.Environments)
			}
		})
	}
}

// taken returns the records since the last call, without those of received events.
func taken(log *testkit.Logbook) []slog.Record {
	return slices.DeleteFunc(log.Take(), func(r slog.Record) bool { return r.Message == "received event" })
}

// attrs returns attributes of a record as text.
func attrs(r slog.Record, names ...string) []string {
	var values []string
	for _, name := range names {
		values = append(values, fmt.Sprint(testkit.Attr(r, name)))
	}
	return values
}

// TestRejectedKeyIsAnErrorInTheLog checks that a rejected key is logged as an error even if it is retried.
func TestRejectedKeyIsAnErrorInTheLog(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		o, log := testkit.To(srv), new(testkit.Logbook)
		o.Logger = log.Logger()
		srv.Next(autoconfigtest.Status(403))
		testkit.Open(t, o)
		testkit.Pass(0)
		testkit.Expect(t, "log", lines(taken(log)), "INFO connecting", "ERROR auto-configuration key rejected")
	})
}
