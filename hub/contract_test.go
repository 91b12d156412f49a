package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// filtered returns content with a filter.
func filtered(c autoconfig.PutContent) autoconfig.PutContent {
	c.Filters = map[autoconfig.FilterID]autoconfig.FilterRep{"f": {ProjKey: "p", FilterKey: "k", Version: 1}}
	return c
}

// TestReaderGetsWhatTheServiceSends, event for event, in both protocol versions.
func TestReaderGetsWhatTheServiceSends(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(filtered(testkit.Listing(testkit.Environment("a", 1), testkit.Environment("b", 1))))
		for i, version := range []string{"", "?rpacProtocolVersion=1", "?rpacProtocolVersion=2", "?rpacProtocolVersion=3"} {
			direct := testkit.Watch(sse.Connect(request(srv.URL, version), &sse.ConnectOptions{Client: srv.Client()}))
			synctest.Wait()
			w := h.read(version)
			synctest.Wait()
			v := 10 * i
			srv.Patch(testkit.Environment("a", v+2))
			srv.PatchFilter("f", autoconfig.FilterRep{ProjKey: "p", FilterKey: "<é\u2028>", Version: v + 2})
			srv.Delete("b", v+3)
			srv.DeleteFilter("f", v+3)
			srv.Patch(testkit.Environment("b", v+4))
			testkit.Expect(t, "events of "+version, lines(w.Take()), lines(direct.Take())...)
			w.Stop()
			direct.Stop()
		}
	})
}

// TestReaderWaitsForConfiguration: the header comes at once, comments meanwhile, the put as soon as there is one.
func TestReaderWaitsForConfiguration(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		w := h.read("")
		synctest.Wait()
		if n := len(h.Readers()); n != 1 || h.Stats().Ready {
			t.Fatalf("%d readers, %+v", n, h.Stats())
		}
		if r := h.status(t, nil); r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" ||
			r.Header.Get("Date") == "" || r.Header.Get("Cache-Control") != "no-cache, no-transform" || r.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("%s %v", r.Status, r.Header)
		}
		testkit.Pass(2*hub.DefaultHeartbeat + time.Second)
		testkit.Expect(t, "before", lines(w.Take()), " ", " ")
		srv.Put(testkit.Listing())
		testkit.Expect(t, "then", lines(w.Take()), `put {"path":"/","data":{"environments":{}}}`)
		if !h.Stats().Ready {
			t.Error("not ready")
		}
		testkit.Pass(hub.DefaultHeartbeat)
		testkit.Expect(t, "later", lines(w.Stop()), " ")
	})
}

// TestHeartbeatOption: and DefaultHeartbeat is a minute.
func TestHeartbeatOption(t *testing.T) {
	bothWays(t, hub.Options{Heartbeat: 5 * time.Second}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		w := h.read("")
		testkit.Pass(16 * time.Second)
		if got := w.Stop(); len(got) != 3 || hub.DefaultHeartbeat != time.Minute {
			t.Errorf("%d comments in 16 s", len(got))
		}
	})
}

// TestRefuseUntilReady answers with 503 before the first configuration.
func TestRefuseUntilReady(t *testing.T) {
	bothWays(t, hub.Options{RefuseUntilReady: true}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		if r := h.status(t, nil); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "5" {
			t.Errorf("%s %v", r.Status, r.Header)
		}
		srv.Put(testkit.Listing())
		synctest.Wait()
		if r := h.status(t, nil); r.StatusCode != http.StatusOK {
			t.Error(r.Status)
		}
		if s := h.Stats(); s.Refused != (hub.Refused{Unavailable: 1}) || s.Served != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// TestCachedConfigurationIsServed: a reader needs no service.
func TestCachedConfigurationIsServed(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		options := testkit.To(srv)
		options.Cache = new(memoryStore)
		first := testkit.Open(t, options)
		synctest.Wait()
		first.Close()
		srv.Stop()
		h := serve(t, options, hub.Options{RefuseUntilReady: true}, true, nil)
		synctest.Wait()
		w := h.read("")
		if got := w.Take(); len(got) != 1 || got[0].Type != "put" {
			t.Errorf("%v", got)
		}
		srv.Patch(testkit.Environment("a", 2))
		srv.Restart()
		testkit.Pass(time.Minute)
		got := lines(w.Stop())
		if len(got) != 2 || got[0][:5] != "patch" { // and a comment
			t.Errorf("%v", got)
		}
	})
}

// TestOmissionIsAPut, one for all that a put omits, after which the same version can come back. Other puts are not passed on.
func TestOmissionIsAPut(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		a, b, c := testkit.Environment("a", 5), testkit.Environment("b", 5), testkit.Environment("c", 5)
		srv.Put(filtered(testkit.Listing(a, b, c)))
		synctest.Wait()
		w := h.read("?rpacProtocolVersion=2")
		down := testkit.Watch(testkit.Open(t, testkit.To(h.server)).Changes())
		w.Take()
		down.Take()
		srv.Put(testkit.Listing(c))
		testkit.Expect(t, "omitted", lines(w.Take()), `put {"path":"/","data":{"environments":{"c":`+testkit.JSON(c)+`}}}`)
		srv.Put(filtered(testkit.Listing(c, b)))
		testkit.Expect(t, "back", lines(w.Take()), `patch {"path":"/environments/b","data":`+testkit.JSON(b)+`}`,
			`patch {"path":"/filters/f","data":{"projKey":"p","key":"k","version":1}}`)
		srv.Put(filtered(testkit.Listing(c, b)))
		testkit.Expect(t, "the same again", lines(w.Stop()))
		testkit.Expect(t, "downstream", testkit.Describe(down.Stop()),
			"environment deleted: a (Project Env a) version 5", "environment deleted: b (Project Env b) version 5",
			"filter deleted: f (p k) version 1", "synced",
			"environment added: b (Project Env b) version 5", "filter added: f (p k) version 1")
	})
}

// TestOmissionWithoutSynced: what a source omits item by item is one put after a moment, or before an item is back.
func TestOmissionWithoutSynced(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, _ *autoconfigtest.Server) {
		messages := make(chan decode.Message)
		h := serve(t, &autoconfig.Options{Source: stream.FromChan(messages)}, hub.Options{}, true, nil)
		say := func(kind decode.Kind, id autoconfig.EnvironmentID) {
			e := testkit.Environment(id, 1)
			messages <- decode.Message{Kind: kind, Environment: decode.EnvironmentEntry{ID: id, Version: 1, Rep: &e}}
		}
		for _, id := range []autoconfig.EnvironmentID{"a", "b", "c"} {
			say(decode.Patch, id)
		}
		messages <- decode.Message{Kind: decode.Complete}
		synctest.Wait()
		w := h.read("")
		w.Take()
		say(decode.Omit, "a")
		say(decode.Omit, "b")
		testkit.Expect(t, "at once", lines(w.Take()))
		newcomer := h.read("") // which makes it impatient
		put := `put {"path":"/","data":{"environments":{"c":` + testkit.JSON(testkit.Environment("c", 1)) + `}}}`
		testkit.Expect(t, "with a newcomer", lines(w.Take()), put)
		testkit.Expect(t, "newcomer", lines(newcomer.Stop()), put)
		say(decode.Omit, "c")
		say(decode.Patch, "c")
		testkit.Expect(t, "back", lines(w.Take()), `put {"path":"/","data":{"environments":{}}}`,
			`patch {"path":"/environments/c","data":`+testkit.JSON(testkit.Environment("c", 1))+`}`)
		say(decode.Omit, "c")
		testkit.Pass(time.Second)
		testkit.Expect(t, "after a moment", lines(w.Stop()), `put {"path":"/","data":{"environments":{}}}`)
	})
}

// TestDeletedItemComesBack with an old version, after a put of the service without it has made clients forget the delete.
func TestDeletedItemComesBack(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		a, b := testkit.Environment("a", 4), testkit.Environment("b", 1)
		content := filtered(testkit.Listing(a, b))
		srv.Put(content)
		synctest.Wait()
		m := testkit.NewMirror("downstream")
		down := testkit.Open(t, testkit.To(h.server))
		w := h.read("")
		synctest.Wait()
		for range 2 {
			srv.Delete("a", 5)
			srv.DeleteFilter("f", 5)
			srv.Put(testkit.Listing(b))
			synctest.Wait()
			srv.Patch(a)
			srv.PatchFilter("f", content.Filters["f"])
			synctest.Wait()
		}
		m.Set(down.Snapshot())
		m.Check(t, srv.Content())
		var events []string
		for _, e := range w.Stop() {
			events = append(events, e.Type)
		}
		testkit.Expect(t, "events", events, "put", "delete", "put", "patch", "delete", "put", "patch")
	})
}

// TestManyDeletes: a put takes the place of one when there were more than clients remember, so that a hub need not remember more.
func TestManyDeletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		messages := make(chan decode.Message, 1000)
		client := testkit.Open(t, &autoconfig.Options{Source: stream.FromChan(messages)})
		h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		listing := &decode.Listing{}
		for i := range diff.DefaultMaxTombstones + 1 {
			id := autoconfig.EnvironmentID(fmt.Sprint("e", i))
			listing.Environments = append(listing.Environments, decode.EnvironmentEntry{ID: id, Version: 1, Rep: &decode.EnvironmentRep{EnvID: id, Version: 1}})
		}
		messages <- decode.Message{Kind: decode.Put, Put: listing}
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/relay_auto_config", nil)
		r.Header = http.Header{"Accept": {"text/event-stream"}, "Authorization": {testkit.Key}}
		go h.ServeHTTP(&writer{header: http.Header{}}, r)
		synctest.Wait()
		for _, e := range listing.Environments {
			if s := h.Stats(); s.Puts != 1 {
				t.Fatalf("%+v", s)
			}
			messages <- decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: e.ID, Version: 2}}
		}
		testkit.Pass(time.Second)
		if s := h.Stats(); s.Puts != 2 || s.Deletes != diff.DefaultMaxTombstones {
			t.Errorf("%+v", s)
		}
		leave()
	})
}

// TestItemsThatNoPathCanName reach readers in puts.
func TestItemsThatNoPathCanName(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		synctest.Wait()
		m := testkit.NewMirror("downstream")
		down := testkit.Open(t, testkit.To(h.server))
		synctest.Wait()
		for version := 1; version < 4; version++ {
			srv.Put(testkit.Listing(testkit.Environment("a", 1), testkit.Environment("x/y", version)))
			synctest.Wait()
		}
		m.Set(down.Snapshot())
		m.Check(t, srv.Content())
	})
}

// TestPutsAreEncodedOnce per state and filters, and only if somebody reads.
func TestPutsAreEncodedOnce(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		h := serve(t, testkit.To(srv), hub.Options{}, true, nil)
		c := testkit.Listing()
		for i := range 100 {
			id := autoconfig.EnvironmentID(fmt.Sprint("e", i))
			c.Environments[id] = testkit.Environment(id, 1)
		}
		srv.Put(filtered(c))
		srv.Patch(testkit.Environment("e1", 2))
		synctest.Wait()
		if s := h.Stats(); s.Puts+s.Patches != 0 {
			t.Errorf("nobody reads: %+v", s)
		}
		const each = 500
		var readers []*testkit.Watcher[sse.Event]
		for range each {
			readers = append(readers, h.read(""), h.read("?rpacProtocolVersion=2"))
		}
		synctest.Wait()
		srv.Patch(testkit.Environment("e1", 3))
		srv.Delete("e2", 2)
		for i, w := range readers {
			if got := w.Take(); len(got) != 3 || got[0].Type != "put" || got[1].Type != "patch" || got[2].Type != "delete" {
				t.Fatalf("reader %d: %v", i, got)
			}
		}
		if s := h.Stats(); s.Readers != 2*each || s.Puts != 2 || s.Patches != 1 || s.Deletes != 1 {
			t.Errorf("%+v", s)
		}
		for _, w := range readers {
			w.Stop()
		}
	})
}

// TestNewcomersShareAPut and get the changes since, unless no event tells of these or they are many. A put serves the next reader
// when all have left, too.
func TestNewcomersShareAPut(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		c := testkit.Listing()
		for i := range 100 {
			id := autoconfig.EnvironmentID(fmt.Sprint("e", i))
			c.Environments[id] = testkit.Environment(id, 1)
		}
		expiring := c.Environments["e0"]
		expiring.SDKKey.Expiring = autoconfig.ExpiringKeyRep{Value: "sdk-old", Timestamp: time.Now().Add(time.Hour).UnixMilli()}
		c.Environments["e0"] = expiring
		srv.Put(c)
		synctest.Wait()
		version := 1
		patch := func(n int) {
			for range n {
				version++
				srv.Patch(testkit.Environment("e1", version))
			}
			synctest.Wait()
		}
		newcomer := func(when string, puts uint64, changes int) {
			t.Helper()
			w := h.read("")
			got := w.Take()
			if len(got) != 1+changes || got[0].Type != "put" || h.Stats().Puts != puts {
				t.Errorf("%s: %d events, %+v", when, len(got), h.Stats())
			}
			for i, e := range got {
				want := fmt.Sprintf(`"version":%d}`, version-changes+i)
				if e.Type == "put" && !strings.Contains(string(e.Data), want) || e.Type == "patch" && !strings.HasSuffix(string(e.Data), want+"}") {
					t.Errorf("%s: event %d is not of version %d", when, i, version-changes+i)
				}
			}
			w.Stop()
			synctest.Wait()
		}
		newcomer("the first", 1, 0)
		newcomer("when all have left", 1, 0)
		patch(1)
		newcomer("after a change that nobody was told of", 2, 0)
		old := h.read("")
		testkit.Pass(10 * time.Minute)
		newcomer("after heartbeats", 2, 0)
		patch(3)
		newcomer("after some changes", 2, 3)
		patch(100)
		newcomer("after many changes", 3, 0)
		patch(1)
		testkit.Pass(time.Hour)
		newcomer("after a key has expired", 4, 0)
		patch(1)
		content := srv.Content()
		delete(content.Environments, "e2")
		srv.Put(content)
		synctest.Wait()
		newcomer("after an omission", 5, 0)
		patch(1)
		old.Stop()
		synctest.Wait()
		newcomer("when all have left after a change", 5, 1)
	})
}

// TestHubServesWithoutItsService, and its readers stay; when the client has ended, they go.
func TestHubServesWithoutItsService(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		synctest.Wait()
		old := h.read("")
		old.Take()
		srv.Stop()
		testkit.Pass(time.Hour)
		newcomer := h.read("")
		if got := newcomer.Take(); len(got) != 1 || got[0].Type != "put" || len(h.Readers()) != 2 {
			t.Errorf("%v, %+v", got, h.Stats())
		}
		h.client.Close()
		for _, w := range []*testkit.Watcher[sse.Event]{old, newcomer} {
			if err := w.End(); !errors.Is(err, sse.ErrEndOfStream) {
				t.Error(err)
			}
		}
		if r := h.status(t, nil); r.StatusCode != http.StatusServiceUnavailable || len(h.Readers()) != 0 {
			t.Error(r.Status, h.Readers())
		}
	})
}

// TestLingeringKeysAreNotPassedOn: a newcomer hears of them from a hub as little as from the service; others know them.
func TestLingeringKeysAreNotPassedOn(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		h := serve(t, testkit.To(srv), hub.Options{}, true, nil)
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		old := testkit.Open(t, testkit.To(h.server))
		synctest.Wait()
		e := testkit.Environment("a", 2)
		for _, key := range []autoconfig.SDKKey{"sdk-second", "sdk-third"} {
			e.SDKKey.Expiring.Value, e.SDKKey.Expiring.Timestamp = e.SDKKey.Value, time.Now().Add(time.Hour).UnixMilli()
			e.SDKKey.Value = key
			srv.Patch(e)
			synctest.Wait()
			e.Version++
		}
		first := autoconfig.Key{SDKKey: testkit.Environment("a", 1).SDKKey.Value}
		for who, client := range map[string]*autoconfig.Client{
			"of the hub": testkit.Open(t, testkit.To(h.server)), "of the service": testkit.Open(t, testkit.To(srv)),
		} {
			synctest.Wait()
			if !client.Snapshot().Synced || client.EnvironmentByKey(first) != nil {
				t.Errorf("a newcomer %s knows the first key", who)
			}
		}
		if old.EnvironmentByKey(first) == nil {
			t.Error("whoever knew the first key has lost it")
		}
	})
}
