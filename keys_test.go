package autoconfig_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// sdk and mob make Keys for look-ups.
func sdk(k autoconfig.SDKKey) autoconfig.Key    { return autoconfig.Key{SDKKey: k} }
func mob(k autoconfig.MobileKey) autoconfig.Key { return autoconfig.Key{MobileKey: k} }

// rotated is an environment whose SDK key has replaced another one, which expires at a time.
func rotated(version int, key, old autoconfig.SDKKey, at time.Time) autoconfig.EnvironmentRep {
	e := testkit.Environment("e1", version)
	e.SDKKey = decode.SDKKeyRep{Value: key, Expiring: decode.ExpiringKeyRep{Value: old, Timestamp: at.UnixMilli()}}
	return e
}

// rotatedAs is rotated for another environment, of version 1.
func rotatedAs(id autoconfig.EnvironmentID, old autoconfig.SDKKey, at time.Time) autoconfig.EnvironmentRep {
	e := testkit.Environment(id, 1)
	e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: old, Timestamp: at.UnixMilli()}
	return e
}

// accepted describes the accepted SDK keys of an environment.
func accepted(e *autoconfig.EnvironmentRep) (lines []string) {
	for _, k := range e.AcceptedKeys() {
		if k.SDKKey != "" {
			lines = append(lines, string(k.SDKKey)+until(k.Expiry))
		}
	}
	return lines
}

// acceptedOf is accepted for what a handler is told.
func acceptedOf(p autoconfig.EnvironmentParams) (lines []string) {
	for _, k := range p.AcceptedSDKKeys {
		lines = append(lines, string(k.Value)+until(k.Expiry))
	}
	return lines
}

// A keyHandler is a handler that fails the test if it is told of the end of a key that it never heard of.
type keyHandler struct {
	recorder
	t       *testing.T
	heard   map[autoconfig.SDKKey]bool
	last    autoconfig.EnvironmentParams
	expired []string
}

func newKeyHandler(t *testing.T) *keyHandler {
	return &keyHandler{recorder: recorder{func(string) {}}, t: t, heard: make(map[autoconfig.SDKKey]bool)}
}

func (h *keyHandler) AddEnvironment(p autoconfig.EnvironmentParams) { h.UpdateEnvironment(p) }

func (h *keyHandler) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	h.last = p
	h.heard[p.SDKKey], h.heard[p.ExpiringSDKKey.Key] = true, true
	for _, k := range p.AcceptedSDKKeys {
		h.heard[k.Value] = true
	}
}

func (h *keyHandler) KeyExpired(id autoconfig.EnvironmentID, key autoconfig.SDKKey) {
	h.expired = append(h.expired, string(key))
	if !h.heard[key] {
		h.t.Errorf("the handler is told of the end of %s of %s, which it never heard of", string(key), string(id))
	}
}

// follow dispatches the changes of a client to a new handler.
func follow(t *testing.T, c *autoconfig.Client) *keyHandler {
	h := newKeyHandler(t)
	go func() { _ = autoconfig.Dispatch(t.Context(), c.Changes(), h) }()
	synctest.Wait()
	return h
}

// TestKeyReplacedTwiceStaysAccepted rotates a key twice within the grace period. Three keys are accepted
// then, of which the newest version names two. All three must be known to early and late subscribers and
// handlers, to snapshots and look-ups, and to a client that is restarted without a server. No handler may be
// told of the end of a key that it never heard of.
func TestKeyReplacedTwiceStaysAccepted(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		start := time.Now()
		one, two := start.Add(time.Hour), start.Add(2*time.Hour)
		want := []string{"sdk-3", "sdk-2" + until(two), "sdk-1" + until(one)}
		first := testkit.Environment("e1", 1)
		first.SDKKey.Value = "sdk-1"
		srv.Put(testkit.Listing(first))
		cache := &memoryCache{}
		c := testkit.Open(t, with(cache, srv))
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		early := follow(t, c)
		if got := c.EnvironmentByKey(sdk("sdk-1")); got == nil || got.Version != 1 {
			t.Errorf("before the rotations, sdk-1 is accepted by %v", got)
		}
		srv.Patch(rotated(2, "sdk-2", "sdk-1", one))
		srv.Patch(rotated(3, "sdk-3", "sdk-2", two))
		synctest.Wait()

		handlers := map[string]*keyHandler{"early": early, "late": follow(t, c)}
		expectThreeKeys(t, "the client", c, want, handlers)
		srv.Close()
		testkit.Pass(time.Second) // until it is saved
		restarted := testkit.Open(t, with(&memoryCache{data: cache.data}, srv))
		synctest.Wait()
		again := map[string]*keyHandler{"after a restart": follow(t, restarted)}
		expectThreeKeys(t, "a restarted client", restarted, want, again)

		testkit.Pass(time.Until(two))
		for name, c := range map[string]*autoconfig.Client{"the client": c, "a restarted client": restarted} {
			testkit.Expect(t, name+" in the end", accepted(c.Snapshot().Environments[0]), "sdk-3")
			if c.EnvironmentByKey(sdk("sdk-1")) != nil || c.EnvironmentByKey(sdk("sdk-2")) != nil || c.EnvironmentByKey(sdk("sdk-3")) == nil {
				t.Errorf("%s finds an expired key, or not the current one", name)
			}
			c.Close()
		}
		handlers["after a restart"] = again["after a restart"]
		for name, h := range handlers {
			testkit.Expect(t, "keys that expired, as a handler hears that came "+name, h.expired, "sdk-1", "sdk-2")
		}
	})
}

// expectThreeKeys fails the test unless a client and its handlers know of the keys, and each is accepted.
func expectThreeKeys(t *testing.T, name string, c *autoconfig.Client, want []string, handlers map[string]*keyHandler) {
	t.Helper()
	testkit.Expect(t, name+": snapshot", accepted(c.Snapshot().Environments[0]), want...)
	late := testkit.Watch(c.Changes())
	testkit.Expect(t, name+": late subscriber", accepted(late.Take()[0].New), want...)
	late.Stop()
	for when, h := range handlers {
		testkit.Expect(t, name+": handler that came "+when, acceptedOf(h.last), want...)
	}
	for _, k := range []autoconfig.SDKKey{"sdk-1", "sdk-2", "sdk-3"} {
		if got := c.EnvironmentByKey(sdk(k)); got == nil || got.EnvID != "e1" || got.Version != 3 {
			t.Errorf("%s: %s is accepted by %v", name, string(k), got)
		}
	}
}

func TestEnvironmentByKey(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		start := time.Now()
		e1, e2 := rotated(1, "sdk-e1", "sdk-old", start.Add(time.Hour)), testkit.Environment("e2", 1)
		at := start.Add(2 * time.Hour).UnixMilli()
		e2.MobileKeys = []decode.ConcurrentKeyRep[autoconfig.MobileKey]{{Value: e2.MobKey}, {Value: "mob-old", Expiry: &at}}
		srv.Put(testkit.Listing(e1, e2))
		o := testkit.To(srv)
		o.IdleTimeout = 24 * time.Hour // so that the connection survives the silence
		c := testkit.Open(t, o)
		expect := func(when string, want map[autoconfig.Key]autoconfig.EnvironmentID) {
			t.Helper()
			synctest.Wait()
			for key, id := range want {
				var got autoconfig.EnvironmentID
				if e := c.EnvironmentByKey(key); e != nil {
					got = e.EnvID
				}
				if got != id {
					t.Errorf("%s: %v is accepted by %q, want %q", when, key, string(got), string(id))
				}
			}
		}
		expect("at first", map[autoconfig.Key]autoconfig.EnvironmentID{
			sdk("sdk-e1"): "e1", sdk("sdk-old"): "e1", mob("mob-e1"): "e1", mob("mob-e2"): "e2", mob("mob-old"): "e2",
			sdk("sdk-never"): "", sdk("mob-e1"): "", mob("sdk-e1"): "", {}: "",
			{SDKKey: "sdk-old", Expiry: start}: "e1", // the expiry of what is asked for does not matter
		})
		testkit.Pass(time.Hour)
		expect("after an hour", map[autoconfig.Key]autoconfig.EnvironmentID{sdk("sdk-old"): "", sdk("sdk-e1"): "e1", mob("mob-old"): "e2"})

		e2.Version, e2.SDKKey.Value, e2.MobileKeys = 2, "sdk-moved", nil
		e1.Version, e1.SDKKey.Value, e1.SDKKey.Expiring = 2, "sdk-e2", decode.ExpiringKeyRep{}
		srv.Patch(e2)
		srv.Patch(e1)
		expect("after keys have moved", map[autoconfig.Key]autoconfig.EnvironmentID{
			sdk("sdk-e1"): "", sdk("sdk-e2"): "e1", sdk("sdk-moved"): "e2", mob("mob-old"): "", mob("mob-e1"): "e1",
		})
		srv.Delete("e1", 3)
		expect("after a deletion", map[autoconfig.Key]autoconfig.EnvironmentID{sdk("sdk-e2"): "", mob("mob-e1"): "", sdk("sdk-moved"): "e2"})
		c.Close()
		expect("after Close", map[autoconfig.Key]autoconfig.EnvironmentID{sdk("sdk-moved"): "e2"})
	})
}

// TestKeyIsNotAcceptedPastItsExpiry checks that a look-up goes by the clock, even while the client cannot
// emit KeyExpired because it waits for a subscriber with stream.Block.
func TestKeyIsNotAcceptedPastItsExpiry(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		start := time.Now()
		srv.Put(testkit.Listing(rotated(1, "sdk-new", "sdk-old", start.Add(time.Hour)), rotatedAs("e2", "sdk-later", start.Add(2*time.Hour))))
		c := testkit.Open(t, testkit.To(srv))
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		slow, release := blocked(c.ChangesUnder(stream.Block[autoconfig.Change](1)))
		synctest.Wait()
		for version := range 5 {
			srv.Patch(testkit.Environment("e3", 1+version))
		}
		testkit.Pass(3 * time.Hour)
		if c.Stats().State.PendingExpiries == 0 {
			t.Fatal("the keys were expired, though the client waits for the subscriber")
		}
		if old, later := c.EnvironmentByKey(sdk("sdk-old")), c.EnvironmentByKey(sdk("sdk-later")); old != nil || later != nil {
			t.Errorf("keys that have expired are accepted by %v and %v", old, later)
		}
		release()
		expired := 0
		for _, change := range slow.Take() {
			if change.Kind == autoconfig.KeyExpired {
				expired++
			}
		}
		if expired != 2 {
			t.Errorf("%d keys expired, want 2", expired)
		}
		c.Close()
	})
}

// TestEnvironmentByKeyIsConcurrent looks up keys while they change. The race detector runs it, too.
func TestEnvironmentByKeyIsConcurrent(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		c := testkit.Open(t, testkit.To(srv))
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		const versions = 200
		key := func(version int) autoconfig.SDKKey { return autoconfig.SDKKey(fmt.Sprint("sdk-", version)) }
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for version := 2; version < versions; version++ {
					if e := c.EnvironmentByKey(sdk(key(version))); e != nil && !slices.Contains(accepted(e), string(key(version))) {
						t.Errorf("version %d does not accept the key of version %d", e.Version, version)
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		for version := 2; version <= versions; version++ {
			e := testkit.Environment("e1", version)
			e.SDKKey.Value = key(version)
			srv.Patch(e)
			time.Sleep(time.Millisecond)
		}
		readers.Wait()
		synctest.Wait()
		if e := c.EnvironmentByKey(sdk(key(versions))); e == nil || e.Version != versions {
			t.Errorf("the last key is accepted by %v", e)
		}
		c.Close()
	})
}
