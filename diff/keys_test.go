package diff

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/relaystream/autoconfig/decode"
)

// rotating is environment a with a key in the single slot.
func rotating(version int, current, old decode.SDKKey, at int64) decode.EnvironmentRep {
	e := env("a", version)
	e.SDKKey = decode.SDKKeyRep{Value: current, Expiring: decode.ExpiringKeyRep{Value: old, Timestamp: at}}
	return e
}

// array is environment a with concurrent keys, the first being the current one.
func array(version int, keys ...decode.ConcurrentKeyRep[decode.SDKKey]) decode.EnvironmentRep {
	e := env("a", version)
	e.SDKKey.Value, e.SDKKeys = keys[0].Value, keys
	return e
}

// key is an entry of an array; at 0 it has no expiry.
func key(value decode.SDKKey, at int64) decode.ConcurrentKeyRep[decode.SDKKey] {
	k := decode.ConcurrentKeyRep[decode.SDKKey]{Value: value}
	if at != 0 {
		k.Expiry = &at
	}
	return k
}

func (c *conversation) at(clock int64) {
	c.clock = clock
	c.state.Expire(c.emit)
}

// TestKeyExpiry starts at time 1000.
func TestKeyExpiry(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(c *conversation)
		want []string
	}{
		{"expires once, at its time", func(c *conversation) { c.patch(rotating(1, "new", "old", 2000)); c.at(1999); c.at(2000); c.at(3000) },
			[]string{"added a@1", "announced old of a at 2000", "expired old of a at 2000"}},
		{"already past: dropped without a word", func(c *conversation) { c.patch(rotating(1, "new", "old", 1000)); c.at(5000) }, []string{"added a@1"}},
		{"timestamp 0: accepted without end", func(c *conversation) { c.patch(rotating(1, "new", "old", 0)); c.at(5000) }, []string{"added a@1"}},
		{"empty slot", func(c *conversation) { c.patch(rotating(1, "new", "", 2000)); c.at(5000) }, []string{"added a@1"}},
		{"another time, later", func(c *conversation) {
			c.patch(rotating(1, "new", "old", 2000))
			c.patch(rotating(2, "new", "old", 4000))
			c.at(3999)
			c.at(4000)
		}, []string{"added a@1", "announced old of a at 2000", "updated a@1>a@2", "announced old of a at 4000", "expired old of a at 4000"}},
		{"another time, earlier", func(c *conversation) {
			c.patch(rotating(1, "new", "old", 4000))
			c.patch(rotating(2, "new", "old", 2000))
			c.at(2000)
		}, []string{"added a@1", "announced old of a at 4000", "updated a@1>a@2", "announced old of a at 2000", "expired old of a at 2000"}},
		{"another time, past", func(c *conversation) {
			c.patch(rotating(1, "new", "old", 4000))
			c.patch(rotating(2, "new", "old", 900))
		},
			[]string{"added a@1", "announced old of a at 4000", "updated a@1>a@2", "expired old of a at 1000"}},
		{"the same time again", func(c *conversation) {
			c.patch(rotating(1, "new", "old", 2000))
			c.patch(rotating(2, "new", "old", 2000))
			c.at(2000)
		}, []string{"added a@1", "announced old of a at 2000", "updated a@1>a@2", "expired old of a at 2000"}},
		{"current again", func(c *conversation) {
			c.patch(rotating(1, "new", "old", 2000))
			c.patch(rotating(2, "old", "", 0))
			c.at(5000)
		},
			[]string{"added a@1", "announced old of a at 2000", "updated a@1>a@2"}},
		{"deleted", func(c *conversation) { c.patch(rotating(1, "new", "old", 2000)); c.delete("a", 2); c.at(5000) },
			[]string{"added a@1", "announced old of a at 2000", "deleted a@1"}},
		{"omitted by a put", func(c *conversation) { c.patch(rotating(1, "new", "old", 2000)); c.put(); c.at(5000) },
			[]string{"added a@1", "announced old of a at 2000", "deleted a@1", "synced"}},
		{"slot taken by a newer key: the older one keeps its time", func(c *conversation) {
			c.patch(rotating(1, "k2", "k1", 2000))
			c.patch(rotating(2, "k3", "k2", 4000))
			c.at(2000)
			c.at(4000)
		}, []string{"added a@1", "announced k1 of a at 2000", "updated a@1>a@2", "announced k2 of a at 4000", "expired k1 of a at 2000", "expired k2 of a at 4000"}},
		{"slot emptied: what was announced holds", func(c *conversation) {
			c.patch(rotating(1, "k2", "k1", 2000))
			c.patch(rotating(2, "k2", "", 0))
			c.at(2000)
		},
			[]string{"added a@1", "announced k1 of a at 2000", "updated a@1>a@2", "expired k1 of a at 2000"}},
		{"array: each key by itself, the anchor never", func(c *conversation) {
			c.patch(array(1, key("k1", 1500), key("k2", 3000), key("k3", 2000), key("k4", 0)))
			c.at(9000)
		}, []string{"added a@1", "announced k2 of a at 3000", "announced k3 of a at 2000", "expired k3 of a at 9000", "expired k2 of a at 9000"}},
		{"array: a key that vanishes expires at once", func(c *conversation) {
			c.patch(array(1, key("k1", 0), key("k2", 3000)))
			c.patch(array(2, key("k1", 0)))
			c.at(9000)
		}, []string{"added a@1", "announced k2 of a at 3000", "updated a@1>a@2", "expired k2 of a at 1000"}},
		{"array: a key that loses its expiry stays", func(c *conversation) {
			c.patch(array(1, key("k1", 0), key("k2", 3000)))
			c.patch(array(2, key("k1", 0), key("k2", 0)))
			c.at(9000)
		}, []string{"added a@1", "announced k2 of a at 3000", "updated a@1>a@2"}},
		{"array: already past", func(c *conversation) { c.patch(array(1, key("k1", 0), key("k2", 900))); c.at(9000) }, []string{"added a@1"}},
		{"array: the single slot beside it does not count", func(c *conversation) {
			e := array(1, key("k1", 0))
			e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "k0", Timestamp: 2000}
			c.patch(e)
			c.at(9000)
		}, []string{"added a@1"}},
		{"from slot to array without it: vanished", func(c *conversation) {
			c.patch(rotating(1, "k2", "k1", 2000))
			c.patch(array(2, key("k2", 0)))
			c.at(9000)
		},
			[]string{"added a@1", "announced k1 of a at 2000", "updated a@1>a@2", "expired k1 of a at 1000"}},
		{"slot, beside mobile keys: replaced, so it keeps its time", func(c *conversation) {
			mobile := func(e decode.EnvironmentRep) decode.EnvironmentRep {
				e.MobKey, e.MobileKeys = "m1", []decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "m1"}}
				return e
			}
			c.patch(mobile(rotating(1, "k2", "k1", 2000)))
			c.patch(mobile(rotating(2, "k3", "", 0)))
			c.at(2000)
		}, []string{"added a@1", "announced k1 of a at 2000", "updated a@1>a@2", "expired k1 of a at 2000"}},
		{"mobile key, beside SDK keys: there is no single slot for mobile keys", func(c *conversation) {
			e, at := array(1, key("k1", 0)), int64(2000)
			e.MobKey, e.MobileKeys = "m1", []decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "m1"}, {Value: "m0", Expiry: &at}}
			c.patch(e)
			e.Version, e.MobileKeys = 2, nil
			c.patch(e)
			c.at(2000)
		}, []string{"added a@1", "announced m0 of a at 2000", "updated a@1>a@2", "expired m0 of a at 1000"}},
		{"mobile array: a key that vanishes expires at once", func(c *conversation) {
			e, at := env("a", 1), int64(2000)
			e.MobKey, e.MobileKeys = "m1", []decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "m1"}, {Value: "m0", Expiry: &at}}
			c.patch(e)
			e.Version, e.MobileKeys = 2, e.MobileKeys[:1]
			c.patch(e)
			c.at(9000)
		}, []string{"added a@1", "announced m0 of a at 2000", "updated a@1>a@2", "expired m0 of a at 1000"}},
		{"mobile keys", func(c *conversation) {
			e, at := env("a", 1), int64(2000)
			e.MobKey = "m1"
			e.MobileKeys = []decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "m1"}, {Value: "m0", Expiry: &at}}
			c.patch(e)
			c.at(2000)
		}, []string{"added a@1", "announced m0 of a at 2000", "expired m0 of a at 2000"}},
		{"the clock goes back: late, but neither lost nor twice", func(c *conversation) {
			c.patch(rotating(1, "new", "old", 2000))
			c.at(500)
			c.at(2000)
			c.at(1000)
			c.at(3000)
		}, []string{"added a@1", "announced old of a at 2000", "expired old of a at 2000"}},
		{"a cached key expires while nothing was connected", func(c *conversation) {
			c.put(entry(rotating(1, "new", "old", 2000)))
			c.clock = 3000
			c.put(entry(rotating(1, "new", "old", 2000)))
		}, []string{"added a@1", "announced old of a at 2000", "synced", "expired old of a at 3000", "synced"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			test.do(c)
			c.want(test.want...)
		})
	}
}

// TestSlotIsConsistent has a single slot that contradicts the keys that count. Whatever the item says
// will happen to a key must happen.
func TestSlotIsConsistent(t *testing.T) {
	for _, test := range []struct {
		name string
		e    decode.EnvironmentRep
		want decode.ExpiringKeyRep
	}{
		{"not listed", array(1, key("k1", 0)), decode.ExpiringKeyRep{}},
		{"listed with another expiry", array(1, key("k1", 0), key("old", 3000)), decode.ExpiringKeyRep{Value: "old", Timestamp: 3000}},
		{"listed without an expiry", array(1, key("k1", 0), key("old", 0)), decode.ExpiringKeyRep{Value: "old"}},
		{"listed and expired", array(1, key("k1", 0), key("old", 900)), decode.ExpiringKeyRep{}},
		{"the current key", rotating(1, "old", "", 0), decode.ExpiringKeyRep{}},
		{"the current key of an array", array(1, key("old", 0)), decode.ExpiringKeyRep{}},
		{"no contradiction", rotating(1, "k1", "", 0), decode.ExpiringKeyRep{Value: "old", Timestamp: 2000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			test.e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "old", Timestamp: 2000}
			c.patch(test.e)
			e := c.state.Environment([]byte("a"))
			if e.SDKKey.Expiring != test.want {
				t.Errorf("got %+v, want %+v", e.SDKKey.Expiring, test.want)
			}
			if next, ok := c.state.NextExpiry(); ok != (test.want.Timestamp != 0) || ok && next.UnixMilli() != test.want.Timestamp {
				t.Errorf("the next key expires at %v, %t; the item says %d", next, ok, test.want.Timestamp)
			}
			c.at(9000)
			if e := c.state.Environment([]byte("a")); e.SDKKey.Expiring.Timestamp != 0 {
				t.Error("a key that has expired is in the slot still")
			}
		})
	}
}

// TestItemsNameOnlyAcceptedKeys looks at the items themselves.
func TestItemsNameOnlyAcceptedKeys(t *testing.T) {
	c := newConversation(t, Options{})
	var last Change
	emit := func(change Change) { last = change }
	apply := func(e decode.EnvironmentRep) {
		_ = c.state.Apply(t.Context(), &decode.Message{Kind: decode.Patch, Environment: entry(e)}, emit)
	}
	apply(rotating(1, "new", "old", 900))
	if last.New.SDKKey.Expiring.Value != "" {
		t.Error("a key that has expired is in the added item")
	}
	apply(array(2, key("k1", 0), key("k2", 2000), key("k3", 900)))
	if len(last.New.SDKKeys) != 2 {
		t.Error("a key that has expired is in the updated item")
	}
	c.clock = 2000
	c.state.Expire(emit)
	if last.Kind != KeyExpired || len(last.Old.SDKKeys) != 2 || len(last.New.SDKKeys) != 1 {
		t.Errorf("%v: from %d keys to %d", last, len(last.Old.SDKKeys), len(last.New.SDKKeys))
	}
	if e := c.state.Environment([]byte("a")); e != last.New {
		t.Error("the state has another item than the change")
	}
}

// TestEmptyScheduleHoldsNothing: slices never shrink by themselves.
func TestEmptyScheduleHoldsNothing(t *testing.T) {
	c := newConversation(t, Options{})
	for i := range 100 {
		e := rotating(1, "new", "old", 2000)
		e.EnvID = decode.EnvironmentID(fmt.Sprint(i))
		c.patch(e)
	}
	if n := len(c.state.schedule); n != 100 {
		t.Fatalf("%d environments are scheduled", n)
	}
	c.at(2000)
	if s := c.state.schedule; s != nil {
		t.Errorf("when all keys have expired, memory for %d environments is left", cap(s))
	}
}

// TestTheClockIsCorrected: keys that a wrong clock has dropped come back with the next put.
func TestTheClockIsCorrected(t *testing.T) {
	known := func(c *conversation) decode.EnvironmentEntry { return entry(*c.state.Environment([]byte("a"))) }
	for _, test := range []struct {
		name string
		do   func(c *conversation)
		want []string
	}{
		{"dropped by a message", func(c *conversation) {
			c.clock = 9000
			c.put(entry(rotating(1, "new", "old", 2000)))
			c.clock = 1000
			c.put(known(c))
			c.at(2000)
		}, []string{"added a@1", "synced", "updated a@1>a@1", "announced old of a at 2000", "synced", "expired old of a at 2000"}},
		{"expired", func(c *conversation) {
			c.put(entry(rotating(1, "new", "old", 2000)))
			c.at(9000)
			c.clock = 1000
			c.put(known(c))
			c.at(2000)
		}, []string{"added a@1", "announced old of a at 2000", "synced", "expired old of a at 9000",
			"updated a@1>a@1", "announced old of a at 2000", "synced", "expired old of a at 2000"}},
		{"only those that have not expired", func(c *conversation) {
			c.clock = 9000
			c.put(entry(array(1, key("k1", 0), key("k2", 2000), key("k3", 3000))))
			c.clock = 2000
			c.put(known(c))
		}, []string{"added a@1", "synced", "updated a@1>a@1", "announced k3 of a at 3000", "synced"}},
		{"too late", func(c *conversation) {
			c.clock = 9000
			c.put(entry(rotating(1, "new", "old", 2000)))
			c.clock = 2000
			c.put(known(c))
		}, []string{"added a@1", "synced", "synced"}},
		{"a key that lost its place in the single slot", func(c *conversation) {
			c.put(entry(rotating(1, "k2", "k1", 2000)))
			c.put(entry(rotating(2, "k3", "k2", 3000)))
			c.at(9000)
			c.clock = 1000
			c.put(known(c))
		}, []string{"added a@1", "announced k1 of a at 2000", "synced", "updated a@1>a@2", "announced k2 of a at 3000", "synced",
			"expired k1 of a at 9000", "expired k2 of a at 9000",
			"updated a@2>a@2", "announced k2 of a at 3000", "announced k1 of a at 2000", "synced"}},
		{"not if a later message did not name it any more", func(c *conversation) {
			c.clock = 9000
			c.put(entry(rotating(1, "new", "old", 2000)))
			c.patch(rotating(2, "new", "", 0))
			c.clock = 1000
			c.put(known(c))
		}, []string{"added a@1", "synced", "updated a@1>a@2", "synced"}},
		{"not if a later message named only what was left", func(c *conversation) {
			c.clock = 2000
			c.put(entry(array(1, key("k1", 0), key("k2", 2000), key("k3", 9000))))
			e := *c.state.Environment([]byte("a"))
			e.Version = 2
			c.patch(e)
			c.clock = 1000
			c.put(known(c))
		}, []string{"added a@1", "announced k3 of a at 9000", "synced", "updated a@1>a@2", "synced"}},
		{"not with a patch of the same version", func(c *conversation) {
			c.clock = 9000
			c.put(entry(rotating(1, "new", "old", 2000)))
			c.clock = 1000
			c.patch(rotating(1, "new", "old", 2000))
		}, []string{"added a@1", "synced", "stale a@1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			test.do(c)
			c.want(test.want...)
		})
	}
}

// TestCurrentKeysDoNotExpire, whatever their entries in the arrays say, and the items say so.
func TestCurrentKeysDoNotExpire(t *testing.T) {
	c := newConversation(t, Options{})
	for _, at := range []int64{900, 2000} {
		e := array(1, key("k1", at), key("k2", 3000))
		e.EnvID = decode.EnvironmentID(fmt.Sprint(at))
		e.MobKey = "m1"
		e.MobileKeys = []decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "m1", Expiry: &at}}
		c.patch(e)
		c.at(2500)
		got := c.state.Environment([]byte(e.EnvID))
		if len(got.SDKKeys) != 2 || got.SDKKeys[0].Expiry != nil || got.SDKKeys[1].Expiry == nil || len(got.MobileKeys) != 1 || got.MobileKeys[0].Expiry != nil {
			t.Errorf("%d: %v", at, got)
		}
		if *e.SDKKeys[0].Expiry != at || *e.MobileKeys[0].Expiry != at {
			t.Error("the message's item was modified")
		}
	}
}

// TestLingeringKeys are part of the items, and of what the cache saves.
func TestLingeringKeys(t *testing.T) {
	c := newConversation(t, Options{})
	c.patch(rotating(1, "k2", "k1", 2000))
	c.patch(rotating(2, "k3", "k2", 3000))
	c.patch(rotating(3, "k4", "k3", 4000))
	lingering := func() []decode.ExpiringKeyRep { return c.state.Environment([]byte("a")).Lingering }
	want := []decode.ExpiringKeyRep{{Value: "k1", Timestamp: 2000}, {Value: "k2", Timestamp: 3000}}
	if got := lingering(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	saved := c.state.Snapshot()
	c.at(2000)
	if got := lingering(); !slices.Equal(got, want[1:]) {
		t.Errorf("%+v", got)
	}
	c.patch(rotating(4, "k2", "", 0))
	if got := lingering(); !slices.Equal(got, []decode.ExpiringKeyRep{{Value: "k3", Timestamp: 4000}}) {
		t.Errorf("%+v", got)
	}
	c.patch(array(5, key("k2", 0)))
	if got := lingering(); got != nil {
		t.Errorf("%+v", got)
	}

	loaded := newConversation(t, Options{})
	loaded.apply(decode.Message{Kind: decode.Put, Put: &decode.Listing{Cached: true, Environments: []decode.EnvironmentEntry{entry(*saved[0].New)}}})
	loaded.put(entry(rotating(3, "k4", "k3", 4000)))
	loaded.at(9000)
	loaded.want("added a@3", "announced k3 of a at 4000", "announced k1 of a at 2000", "announced k2 of a at 3000", "synced", "synced",
		"expired k1 of a at 9000", "expired k2 of a at 9000", "expired k3 of a at 9000")
}

// TestASlotThatIsEmptiedAndNamedAgainInThePast leaves the item as it is, but for the key that lingers.
func TestASlotThatIsEmptiedAndNamedAgainInThePast(t *testing.T) {
	c := newConversation(t, Options{})
	c.patch(rotating(1, "k2", "k1", 5000))
	c.patch(rotating(2, "k2", "", 0))
	c.patch(rotating(3, "k2", "k1", 900))
	c.patch(rotating(4, "k2", "k1", 900))
	c.patch(rotating(5, "k2", "", 0))
	c.at(9000)
	c.want("added a@1", "announced k1 of a at 5000", "updated a@1>a@2", "updated a@2>a@3", "expired k1 of a at 1000", "updated a@3>a@4", "updated a@4>a@5")
}

// TestKeysThatDoNotExpireCostNothing: most environments have no other.
func TestKeysThatDoNotExpireCostNothing(t *testing.T) {
	c := newConversation(t, Options{})
	c.patch(array(1, key("k1", 0), key("k2", 0)))
	c.patch(rotating(2, "k1", "k2", 0))
	if c.state.environments.slots["a"].value.keys != nil || c.state.schedule != nil {
		t.Error("the state keeps a keyring")
	}
	c.patch(rotating(3, "k1", "k2", 2000))
	item := rotating(4, "k1", "k2", 2000)
	keys := c.state.environments.slots["a"].value.keys
	c.patch(item)
	if got := c.state.environments.slots["a"].value.keys; got != keys {
		t.Error("a patch that changes no key makes a new keyring")
	}
}

// TestEnvironmentByKey looks keys up after each step.
func TestEnvironmentByKey(t *testing.T) {
	c := newConversation(t, Options{})
	want := func(version int, keys ...Key) {
		t.Helper()
		for _, k := range keys {
			got := -1
			if e := c.state.EnvironmentByKey(k); e != nil {
				got = e.Version
			}
			if got != version {
				t.Errorf("%s%s: version %d, want %d", string(k.SDKKey), string(k.MobileKey), got, version)
			}
		}
	}
	k1, k2, k3, m1, none := Key{SDKKey: "k1"}, Key{SDKKey: "k2"}, Key{SDKKey: "k3"}, Key{MobileKey: "m1"}, Key{}
	want(-1, k1, k2, k3, m1, none)
	e := rotating(1, "k2", "k1", 2000)
	e.MobKey = "m1"
	c.patch(e)
	want(1, k1, k2, m1)
	want(-1, k3, none, Key{MobileKey: "k1"}, Key{SDKKey: "m1"}, Key{SDKKey: "k1", MobileKey: "m1"})
	c.patch(rotating(2, "k3", "k2", 3000))
	want(2, k1, k2, k3) // k1 lingers
	want(-1, m1)
	c.clock = 2000
	want(-1, k1) // though its KeyExpired is still to come
	c.at(2000)
	want(-1, k1)
	c.clock = 1000
	want(-1, k1)
	c.put(entry(*c.state.Environment([]byte("a"))))
	want(2, k1, k2, k3)
	c.delete("a", 3)
	want(-1, k1, k2, k3)
}

// TestSharedKey is about a key that several environments accept, which any of them may be found by.
func TestSharedKey(t *testing.T) {
	c := newConversation(t, Options{})
	shared, found := Key{MobileKey: "m"}, map[decode.EnvironmentID]bool{}
	c.state.EnvironmentByKey(shared) // makes the index
	for _, id := range []string{"a", "b", "c"} {
		e := env(id, 1)
		e.MobKey = shared.MobileKey
		c.patch(e)
	}
	for e := c.state.EnvironmentByKey(shared); e != nil && !found[e.EnvID]; e = c.state.EnvironmentByKey(shared) {
		found[e.EnvID] = true
		c.delete(e.EnvID, 2)
	}
	if len(found) != 3 || len(c.state.index) != 0 {
		t.Errorf("found %v, and %d keys are left", found, len(c.state.index))
	}
}

// BenchmarkSharedKey is about a key that many environments accept, and no longer do: each costs the same,
// however many there are.
func BenchmarkSharedKey(b *testing.B) {
	for _, n := range []int{many, 4 * many} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			x := keyIndex{}
			for b.Loop() {
				for i := range n {
					x.update(nil, &decode.EnvironmentRep{EnvID: decode.EnvironmentID(strconv.Itoa(i)), MobKey: "m"})
				}
				for i := range n {
					x.update(&decode.EnvironmentRep{EnvID: decode.EnvironmentID(strconv.Itoa(i)), MobKey: "m"}, nil)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/environment")
		})
	}
}

// TestExpired is about changes that are made without a State.
func TestExpired(t *testing.T) {
	at := int64(2000)
	e := array(1, key("k1", 0), key("k2", at))
	e.MobKey = "m1"
	e.MobileKeys = []decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "m1"}, {Value: "m2", Expiry: &at}}
	e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "k2", Timestamp: at}
	e.Lingering = []decode.ExpiringKeyRep{{Value: "k3", Timestamp: at}}
	all := accepted(&e)
	for _, k := range []Key{{SDKKey: "k1"}, {MobileKey: "m1"}, {SDKKey: "m2"}, {SDKKey: "unknown"}, {}, {SDKKey: "k2"}, {SDKKey: "k3"}, {MobileKey: "m2"}} {
		c := Expired(&e, &k)
		if c.Kind != KeyExpired || c.Old != &e || c.Key != &k {
			t.Errorf("%v", c)
		}
		if expires := all[k] != 0; (c.New != &e) != expires {
			t.Errorf("%s%s: the environment is another: %t", string(k.SDKKey), string(k.MobileKey), c.New != &e)
		}
		want := maps.Clone(all)
		if all[k] != 0 {
			delete(want, k)
		}
		if got := accepted(c.New); !maps.Equal(got, want) {
			t.Errorf("%s%s: %v, want %v", string(k.SDKKey), string(k.MobileKey), plainly(got), plainly(want))
		}
		if slot := c.New.SDKKey.Expiring.Value; (slot == "") != (k.SDKKey == "k2") {
			t.Errorf("%s: the slot has %s", string(k.SDKKey), string(slot))
		}
	}
}

// TestKeysThatExpireTogether do so in the order of the IDs, not by chance.
func TestKeysThatExpireTogether(t *testing.T) {
	c := newConversation(t, Options{})
	var want []string
	for _, id := range []decode.EnvironmentID{"d", "b", "e", "a", "c"} {
		e := rotating(1, "new", "old", 2000)
		e.EnvID = id
		c.patch(e)
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		want = append(want, "expired old of "+id+" at 2000")
	}
	c.log = nil
	c.at(2000)
	c.want(want...)
}
