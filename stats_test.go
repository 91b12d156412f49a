package autoconfig_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// TestStatsCountWhyConnectionsEnd ends an attempt in every possible way, each followed by a successful one.
// Stats must count it once, in one place.
func TestStatsCountWhyConnectionsEnd(t *testing.T) {
	type ends struct {
		ReconnectRequests, Malformed, Refused, Rejected, BadResponses, TimedOut, Ended, Failed uint64
	}
	const contradiction = `event: patch
data: {"path":"/environments/b","data":{"envID":"b","sdkKey":{"value":"k"},"sdkKeys":[{"value":"other"}],"version":1}}

`
	for name, test := range map[string]struct {
		fault autoconfigtest.Fault
		want  ends
	}{
		"the server asks for it":     {autoconfigtest.Prepend("event: reconnect\ndata: {}\n\n"), ends{ReconnectRequests: 1}},
		"JSON is malformed":          {autoconfigtest.Malformed(), ends{Malformed: 1}},
		"an event is too large":      {autoconfigtest.HugeEvent(1 << 20), ends{Malformed: 1}},
		"keys contradict each other": {autoconfigtest.Prepend(contradiction), ends{Refused: 1}},
		"the key is unknown":         {autoconfigtest.Status(401), ends{Rejected: 1}},
		"the key is not allowed":     {autoconfigtest.Status(403), ends{Rejected: 1}},
		"the server has a problem":   {autoconfigtest.Status(500), ends{BadResponses: 1}},
		"it is something else":       {autoconfigtest.Header("Content-Type", "text/html"), ends{BadResponses: 1}},
		"it leads to plain http":     {autoconfigtest.Redirect("http://stream.example.com"), ends{BadResponses: 1}},
		"there is no answer":         {autoconfigtest.Hang(), ends{TimedOut: 1}},
		"the stream falls silent":    {autoconfigtest.Stall(1), ends{TimedOut: 1}},
		"the stream ends":            {autoconfigtest.End(1), ends{Ended: 1}},
		"the network fails":          {autoconfigtest.Cut(1), ends{Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Put(testkit.Listing(testkit.Environment("a", 1)))
				srv.Next(test.fault)
				o := testkit.To(srv)
				o.MaxEventSize = 1 << 16
				client := testkit.Open(t, o)
				if err := srv.AwaitRequests(t.Context(), 2); err != nil {
					t.Fatal(err)
				}
				testkit.Pass(0)
				s := client.Stats()
				got := ends{s.ReconnectRequests, s.Malformed, s.Refused, s.Rejected, s.BadResponses, s.TimedOut, s.Ended, s.Failed}
				if got != test.want || s.Attempts != 2 || s.Status.State != autoconfig.Valid {
					t.Errorf("%+v after %d attempts, now %v; want %+v", got, s.Attempts, s.Status.State, test.want)
				}
			})
		})
	}
}

// TestStats goes through a client's life and checks everything that is counted.
func TestStats(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		opened := time.Now()
		client := testkit.Open(t, testkit.To(srv))
		testkit.Pass(time.Second)
		want := autoconfig.Stats{
			Status:   autoconfig.Status{Since: opened, OutdatedSince: opened, Attempt: 1},
			Attempts: 1, Connections: 1, Subscribers: []stream.SubscriptionStats{},
		}
		wantStats(t, client.Stats(), want)

		testkit.Watch(client.Changes()) // stays
		visitor := testkit.Watch(client.Changes())
		srv.Put(testkit.Listing(testkit.Environment("a", 1), testkit.Environment("b", 1)))
		put := time.Now()
		testkit.Pass(time.Second)
		srv.Patch(testkit.Environment("a", 2))
		srv.Patch(testkit.Environment("a", 2))
		srv.Delete("b", 2)
		srv.SendEvent("unknown", "")
		srv.SendEvent("patch", `{"path":"/environments/a","data":{"envID":"a","version":1,"new":1}}`)
		testkit.Pass(0)
		visitor.Cancel()
		<-visitor.Done
		read := time.Now()
		testkit.Pass(time.Second)
		want.Status = autoconfig.Status{State: autoconfig.Valid, Since: put}
		want.Events, want.Unusual, want.LastRead, want.LastChange = 6, 1, read, read
		want.State = diff.Stats{Environments: 1, Tombstones: 1, Puts: 1, Patches: 3, Deletes: 1, Ignored: 1, Applied: 4, Stale: 2}
		want.Subscribers = []stream.SubscriptionStats{{Policy: "Coalesce", Delivered: 5}}
		want.Delivery = stream.SubscriptionStats{Delivered: 10}
		wantStats(t, client.Stats(), want)

		srv.CloseConnections()
		testkit.Pass(0)
		lost := time.Now()
		got := client.Stats().Status
		if got.State != autoconfig.Interrupted || got.OutdatedSince != lost {
			t.Errorf("%v, outdated since %v, want %v", got.State, got.OutdatedSince, lost)
		}
		testkit.Pass(time.Minute)
		if got := client.Stats().Status; !got.OutdatedSince.IsZero() {
			t.Errorf("%v, outdated since %v", got.State, got.OutdatedSince)
		}
		testkit.Pass(time.Minute)
		closed := time.Now()
		client.Close()
		if got := client.Stats().Status; got.OutdatedSince != closed {
			t.Errorf("%v, outdated since %v, want %v", got.State, got.OutdatedSince, closed)
		}
	})
}

// wantStats compares all but the number of bytes, of which only that there are any is of interest.
func wantStats(t *testing.T, got, want autoconfig.Stats) {
	t.Helper()
	if (got.Bytes > 0) != (want.Events > 0) {
		t.Errorf("%d bytes for %d events", got.Bytes, got.Events)
	}
	got.Bytes = 0
	if d := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestLastChange checks that LastChange is the time of the last change, whatever the reason, and that a put that
// changes nothing is none.
func TestLastChange(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := rotated(1, "sdk-new", "sdk-old", time.Now().Add(4*time.Minute))
		c := testkit.Open(t, testkit.To(srv))
		for minute, step := range []struct {
			why     string
			do      func()
			changes bool
		}{
			{"a put", func() { srv.Put(testkit.Listing(e)) }, true},
			{"the same put", func() { srv.Put(testkit.Listing(e)) }, false},
			{"a patch", func() { srv.Patch(testkit.Environment("e2", 1)) }, true},
			{"a stale patch", func() { srv.Patch(testkit.Environment("e2", 1)) }, false},
			{"a key expires", func() {}, true},
		} {
			before, now := c.Stats().LastChange, time.Now()
			step.do()
			synctest.Wait()
			got := c.Stats().LastChange
			if step.changes != (got.Sub(now).Abs() < time.Second) || !step.changes && !got.Equal(before) {
				t.Errorf("minute %d, %s: the last change was %v ago", minute, step.why, now.Sub(got))
			}
			time.Sleep(time.Minute)
		}
		c.Close()
	})
}
