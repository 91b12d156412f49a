package autoconfig_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// large returns the content of a server whose put has so many environments, of 300 bytes and more.
func large(n int) autoconfig.PutContent {
	var all []autoconfig.EnvironmentRep
	for i := range n {
		all = append(all, testkit.Environment(autoconfig.EnvironmentID(fmt.Sprintf("env-%05d", i)), 1))
	}
	return testkit.Listing(all...)
}

// TestLargePut is decoded while it arrives. Observers of events and messages get all of it all the same.
func TestLargePut(t *testing.T) {
	const n = 2000
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		client := testkit.Open(t, testkit.To(srv))
		events, messages := testkit.Watch(client.Events()), testkit.Watch(client.Messages())
		testkit.Pass(time.Second)
		srv.Put(large(n))
		testkit.Pass(time.Second)
		srv.Put(large(n + 1)) // with one more
		testkit.Pass(time.Second)
		for i, e := range events.Take() {
			var put autoconfig.PutMessageData
			if err := json.Unmarshal(e.Data, &put); err != nil || e.Body != nil || len(put.Data.Environments) != n+i {
				t.Errorf("event %d: %v, with %d environments, %v", i, e, len(put.Data.Environments), err)
			}
		}
		var listed [][2]int
		for _, m := range messages.Take() {
			listed = append(listed, [2]int{len(m.Put.Environments), m.Put.Unchanged.Len()})
		}
		if want := [][2]int{{n, 0}, {1, n}}; !slices.Equal(listed, want) {
			t.Errorf("listed and unchanged: %v, want %v", listed, want)
		}
		if got := len(client.Snapshot().Environments); got != n+1 {
			t.Errorf("%d environments", got)
		}
		if got := client.Stats(); got.Events != 2 || got.Connections != 1 {
			t.Errorf("%d events, %d connections", got.Events, got.Connections)
		}
	})
}

// TestObserverOfEventsInTheMiddleOfALargePut gets the next event, and not one of which a part is missing. A message is
// whole when it is observed.
func TestObserverOfEventsInTheMiddleOfALargePut(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		client := testkit.Open(t, testkit.To(srv))
		testkit.Pass(time.Second)
		put := "event: put\ndata: " + testkit.JSON(autoconfig.PutMessageData{Path: "/", Data: large(1000)}) + "\n\n"
		srv.SendRaw([]byte(put[:100_000]))
		testkit.Pass(time.Second)
		events, messages := testkit.Watch(client.Events()), testkit.Watch(client.Messages())
		testkit.Pass(time.Second)
		srv.SendRaw([]byte(put[100_000:]))
		testkit.Pass(time.Second)
		if e, m := events.Take(), messages.Take(); len(e) != 0 || len(m) != 1 || m[0].Put.Len() != 1000 {
			t.Errorf("events %v, messages %v", e, m)
		}
		srv.SendRaw([]byte(put))
		testkit.Pass(time.Second)
		if e := events.Take(); len(e) != 1 || len(e[0].Data) != len(put)-len("event: put\ndata: \n\n") {
			t.Errorf("events: %v", e)
		}
	})
}

// TestLargePutThatBreaksOff leaves no trace, wherever it breaks off, and does not keep Close waiting.
func TestLargePutThatBreaksOff(t *testing.T) {
	for _, fault := range []autoconfigtest.Fault{
		autoconfigtest.Cut(100_000), autoconfigtest.End(100_000), autoconfigtest.Stall(100_000), autoconfigtest.Cut(33_000),
	} {
		testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
			srv.Put(large(1000))
			srv.Next(fault)
			o := testkit.To(srv)
			book := &testkit.Logbook{}
			o.Logger = book.Logger()
			client := testkit.Open(t, o)
			events, changes := testkit.Watch(client.Events()), testkit.Watch(client.Changes())
			testkit.Pass(100 * time.Millisecond)
			if stats := client.Stats(); stats.Events != 0 || stats.State.Puts != 0 || len(client.Snapshot().Environments) != 0 {
				t.Errorf("after a part of it: %+v", stats)
			}
			for _, line := range book.Take() {
				if line.Message == "received event" || line.Message == "received configuration" {
					t.Errorf("after a part of it, the log has %q", line.Message)
				}
			}
			if len(events.Take()) != 0 || len(changes.Take()) != 0 {
				t.Error("after a part of it, there are events or changes")
			}
			testkit.Pass(10 * time.Minute)
			if got := len(client.Snapshot().Environments); got != 1000 {
				t.Errorf("later: %d environments", got)
			}
			srv.Next(autoconfigtest.Stall(100_000))
			srv.Put(large(1001))
			begun := time.Now()
			client.Close()
			if took := time.Since(begun); took > 100*time.Millisecond {
				t.Errorf("Close took %v", took)
			}
		})
	}
}

// TestLargeMessagesThatAreNotPuts are read, too: a patch with many keys, and an event that is unknown.
func TestLargeMessagesThatAreNotPuts(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		e := testkit.Environment("e1", 1)
		srv.Put(testkit.Listing(e))
		client := testkit.Open(t, testkit.To(srv))
		messages := testkit.Watch(client.Messages())
		testkit.Pass(time.Second)
		e.Version = 2
		for i := range 2000 {
			e.SDKKeys = append(e.SDKKeys, autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{Value: autoconfig.SDKKey(fmt.Sprint("sdk-", i))})
		}
		e.SDKKeys[1000].Value = e.SDKKey.Value
		srv.Patch(e)
		srv.SendEvent("unknown", testkit.JSON(e))
		testkit.Pass(time.Second)
		var kinds []decode.Kind
		for _, m := range messages.Take() {
			kinds = append(kinds, m.Kind)
		}
		if want := []decode.Kind{decode.Patch, decode.Ignored}; !slices.Equal(kinds[max(0, len(kinds)-2):], want) {
			t.Errorf("messages: %v, want %v", kinds, want)
		}
		if got := client.Snapshot().Environments[0]; got.Version != 2 || len(got.SDKKeys) != 2000 {
			t.Errorf("version %d with %d keys", got.Version, len(got.SDKKeys))
		}
	})
}
