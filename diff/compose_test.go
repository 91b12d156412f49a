package diff

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
)

// A view is what a subscriber makes of changes. It fails the test if they do not fit each other.
type view struct {
	t            *rapid.T
	environments map[decode.EnvironmentID]*decode.EnvironmentRep
	filters      map[decode.FilterID]*Filter
	accepted     map[decode.EnvironmentID]keyring
}

// A keyring has the keys that a subscriber accepts for an environment, and whether they were announced to
// expire.
type keyring map[Key]bool

func newView(t *rapid.T) *view {
	return &view{t, map[decode.EnvironmentID]*decode.EnvironmentRep{}, map[decode.FilterID]*Filter{}, map[decode.EnvironmentID]keyring{}}
}

func (v *view) apply(c Change) {
	id := c.Subject()
	switch c.Kind {
	case EnvironmentAdded, EnvironmentUpdated, EnvironmentDeleted, KeyExpired:
		if v.environments[id.Environment] != c.Old || (c.Kind == EnvironmentAdded) != (c.Old == nil) {
			v.t.Fatalf("%v does not follow %v", c, v.environments[id.Environment])
		}
		v.environments[id.Environment] = c.New
		if c.New == nil {
			delete(v.environments, id.Environment)
		}
		v.accept(id.Environment, c)
	case FilterAdded, FilterUpdated, FilterDeleted:
		if v.filters[id.Filter] != c.OldFilter {
			v.t.Fatalf("%v does not follow %v", c, v.filters[id.Filter])
		}
		v.filters[id.Filter] = c.NewFilter
		if c.NewFilter == nil {
			delete(v.filters, id.Filter)
		}
	}
}

// accept keeps to what the items name, and keeps a key that was announced to expire until it does.
func (v *view) accept(id decode.EnvironmentID, c Change) {
	if c.New == nil {
		delete(v.accepted, id)
		return
	}
	after := keyring{}
	for key, announced := range v.accepted[id] {
		if announced {
			after[key] = true
		}
	}
	for k := range credentials(c.New) {
		after[Key{SDKKey: k.sdk, MobileKey: k.mobile}] = k.expiry != 0
	}
	if c.Kind == KeyExpired {
		if accepts(c.New, c.Key) {
			v.t.Fatalf("%v is accepted still", string(c.Key.SDKKey))
		}
		delete(after, Key{SDKKey: c.Key.SDKKey, MobileKey: c.Key.MobileKey})
	}
	v.accepted[id] = after
}

func (v *view) clone() *view {
	return &view{v.t, maps.Clone(v.environments), maps.Clone(v.filters), maps.Clone(v.accepted)}
}

// drawMessage draws a message about few items, so that they meet often. Most versions are newer than
// newest.
func drawMessage(t *rapid.T, clock int64, newest *int) decode.Message {
	id := rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "id")
	version := *newest + rapid.IntRange(-1, 3).Draw(t, "version")
	*newest = max(*newest, version)
	listed := func() decode.EnvironmentEntry {
		keys := rapid.SampledFrom([]decode.SDKKey{"k1", "k2", "k3"})
		e := env(id, version)
		e.SDKKey.Value = keys.Draw(t, "key")
		at := rapid.SampledFrom([]int64{0, clock - 5, clock + 10, clock + 30}).Draw(t, "expiry")
		switch rapid.IntRange(0, 3).Draw(t, "format") {
		case 0:
			e.SDKKeys = append(array(0, key(e.SDKKey.Value, 0)).SDKKeys, key(keys.Draw(t, "old key"), at))
		case 1, 2:
			e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: keys.Draw(t, "old key"), Timestamp: at}
		}
		return entry(e)
	}
	filter := decode.FilterEntry{ID: decode.FilterID(id), Version: version, Rep: &decode.FilterRep{Version: version}}
	switch rapid.IntRange(0, 9).Draw(t, "message") {
	case 0:
		return decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: []decode.EnvironmentEntry{listed()}, Filters: []decode.FilterEntry{filter}}}
	case 1:
		return decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: decode.EnvironmentID(id), Version: version}}
	case 2:
		return decode.Message{Kind: decode.Patch, Filter: filter}
	case 3:
		return decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: decode.FilterID(id), Version: version}}
	default:
		return decode.Message{Kind: decode.Patch, Environment: listed()}
	}
}

// checkCompose compares applying a window of changes one by one with applying what they compose to,
// per subject. From window to window both go on, so that what one has missed has consequences.
func checkCompose(t *rapid.T) {
	clock, newest := int64(1000), 0
	state := NewState(nil)
	state.now = func() time.Time { return time.UnixMilli(clock) }
	plain, composed := newView(t), newView(t)
	for range rapid.IntRange(1, 8).Draw(t, "windows") {
		all, waiting := []*view{composed.clone()}, map[Subject]Change{}
		emit := func(c Change) {
			plain.apply(c)
			all = append(all, plain.clone())
			if older, ok := waiting[c.Subject()]; ok {
				if c, ok = Compose(older, c); !ok {
					delete(waiting, older.Subject())
					return
				}
			}
			waiting[c.Subject()] = c
		}
		for range rapid.IntRange(0, 8).Draw(t, "messages") {
			m := drawMessage(t, clock, &newest)
			clock += rapid.Int64Range(0, 20).Draw(t, "time")
			state.Expire(emit)
			state.Apply(&m, emit)
		}
		for _, c := range waiting {
			expired := keyring{}
			c.Split(func(part Change) bool {
				composed.apply(part)
				if part.Kind == KeyExpired {
					key := Key{SDKKey: part.Key.SDKKey, MobileKey: part.Key.MobileKey}
					if expired[key] {
						t.Fatalf("%v: %s expires twice", c, string(key.SDKKey))
					}
					expired[key] = true
				}
				return true
			})
		}
		compareViews(t, composed, plain, all)
	}
}

// compareViews demands the same items. Of keys, composed must accept those that were accepted in all views,
// and no others than plain.
func compareViews(t *rapid.T, composed, plain *view, all []*view) {
	if !maps.Equal(composed.environments, plain.environments) || !maps.Equal(composed.filters, plain.filters) {
		t.Fatalf("composed %v %v, one by one %v %v", composed.environments, composed.filters, plain.environments, plain.filters)
	}
	for id := range plain.environments {
		for key := range composed.accepted[id] {
			if _, ok := plain.accepted[id][key]; !ok {
				t.Fatalf("%s of %s is still accepted", string(key.SDKKey), id)
			}
		}
		for key := range all[0].accepted[id] {
			always := true
			for _, v := range all {
				announced, ok := v.accepted[id][key]
				always = always && ok && announced
			}
			if _, ok := composed.accepted[id][key]; always && !ok {
				t.Fatalf("%s of %s is no longer accepted", string(key.SDKKey), id)
			}
		}
	}
}

func TestComposeIsApplyingBoth(t *testing.T) { rapid.Check(t, checkCompose) }

func FuzzCompose(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkCompose)) }

// TestComposeKinds names the kind for each pair of kinds that can follow each other.
func TestComposeKinds(t *testing.T) {
	a, b, c := env("a", 1), env("a", 2), env("a", 3)
	added := Change{Kind: EnvironmentAdded, New: &a}
	updated := Change{Kind: EnvironmentUpdated, Old: &a, New: &b}
	again := Change{Kind: EnvironmentUpdated, Old: &b, New: &c}
	deleted := Change{Kind: EnvironmentDeleted, Old: &b}
	expired := Change{Kind: KeyExpired, Old: &b, New: &c, Key: &Key{SDKKey: "k"}}
	readded := Change{Kind: EnvironmentAdded, New: &c}
	for _, test := range []struct {
		older, newer Change
		want         Kind
	}{
		{added, updated, EnvironmentAdded},
		{updated, again, EnvironmentUpdated},
		{updated, deleted, EnvironmentDeleted},
		{deleted, readded, EnvironmentUpdated},
		{Change{Kind: EnvironmentUpdated, Old: &a, New: &b, Key: &Key{all: true}}, deleted, EnvironmentDeleted},
		{updated, expired, EnvironmentUpdated},
		{Change{Kind: KeyExpired, Old: &a, New: &b, Key: &Key{SDKKey: "j"}}, expired, KeyExpired},
		{Change{Kind: EnvironmentAdded, New: &b}, deleted, 0},
		{Change{Kind: FilterUpdated, OldFilter: &Filter{}, NewFilter: &Filter{}}, Change{Kind: FilterDeleted, OldFilter: &Filter{}}, FilterDeleted},
		{Change{Kind: FilterDeleted, OldFilter: &Filter{}}, Change{Kind: FilterAdded, NewFilter: &Filter{}}, FilterUpdated},
		{Change{Kind: FilterAdded, NewFilter: &Filter{}}, Change{Kind: FilterDeleted, OldFilter: &Filter{}}, 0},
		{Change{Kind: Synced, Cached: true}, Change{Kind: Synced}, Synced},
	} {
		got, ok := Compose(test.older, test.newer)
		if ok != (test.want != 0) || ok && got.Kind != test.want {
			t.Errorf("%v, %v: %v %v, want %v", test.older.Kind, test.newer.Kind, got.Kind, ok, test.want)
		}
	}
}

func composeAll(changes []Change) Change {
	all := changes[0]
	for _, change := range changes[1:] {
		all, _ = Compose(all, change)
	}
	return all
}

// composeLastFirst composes changes with what has been composed of those that follow.
func composeLastFirst(changes []Change) Change {
	all, ok := changes[len(changes)-1], true
	for _, change := range slices.Backward(changes[:len(changes)-1]) {
		if !ok {
			all, ok = change, true
			continue
		}
		all, ok = Compose(change, all)
	}
	return all
}

// TestSplit composes all that a subscriber misses after a first message.
func TestSplit(t *testing.T) {
	for _, test := range []struct {
		name   string
		missed func(c *conversation)
		want   []string
	}{
		{"an update", func(c *conversation) { c.patch(rotating(2, "k3", "k2", 5000)) }, []string{"updated a@1>a@2"}},
		{"an expiry", func(c *conversation) { c.at(2000) }, []string{"expired k1 of a at 2000"}},
		{"an expiry and an update", func(c *conversation) { c.at(2000); c.patch(rotating(2, "k3", "k2", 5000)) },
			[]string{"updated a@1>a@2", "expired k1 of a at 2000"}},
		{"two expiries", func(c *conversation) {
			c.patch(rotating(2, "k3", "k2", 2500))
			c.at(2500)
		}, []string{"updated a@1>a@2", "expired k1 of a at 2500", "expired k2 of a at 2500"}},
		{"a key that expires and becomes the current one", func(c *conversation) { c.at(2000); c.patch(rotating(2, "k1", "k2", 5000)) },
			[]string{"updated a@1>a@2"}},
		{"a key that expires twice", func(c *conversation) {
			c.at(2000)
			c.patch(rotating(2, "k2", "k1", 3000))
			c.at(3000)
		}, []string{"updated a@1>a@2", "expired k1 of a at 3000"}},
		{"a key that becomes the current one, which does not expire, and is replaced", func(c *conversation) {
			c.patch(rotating(2, "k1", "", 0))
			c.patch(rotating(3, "k3", "", 0))
		}, []string{"updated a@1>a@3", "expired k1 of a at 1000"}},
		{"a deletion takes all keys away", func(c *conversation) {
			c.delete("a", 2)
			c.patch(rotating(3, "k3", "", 0))
		}, []string{"deleted a@1", "added a@3"}},
		{"whatever comes after it", func(c *conversation) {
			c.delete("a", 2)
			c.patch(rotating(3, "k3", "k2", 2000))
			c.at(2000)
			c.patch(rotating(4, "k3", "", 0))
		}, []string{"deleted a@1", "added a@4"}},
		{"or before", func(c *conversation) {
			c.at(2000)
			c.put()
			c.put(entry(rotating(3, "k1", "", 0)))
		}, []string{"deleted a@1", "added a@3"}},
		{"and stays deleted", func(c *conversation) {
			c.delete("a", 2)
			c.patch(rotating(3, "k3", "", 0))
			c.delete("a", 4)
		}, []string{"deleted a@1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConversation(t, Options{})
			c.patch(rotating(1, "k2", "k1", 2000))
			before := len(c.changes)
			test.missed(c)
			missed := slices.DeleteFunc(c.changes[before:], func(c Change) bool { return c.Kind == Synced })
			for _, all := range []Change{composeAll(missed), composeLastFirst(missed)} {
				c.log = nil
				all.Split(func(part Change) bool { c.emit(part); return true })
				c.want(test.want...)
			}
		})
	}
}

// TestComposedChangeIsBounded lets a subscriber miss more and more rotations.
func TestComposedChangeIsBounded(t *testing.T) {
	c := newConversation(t, Options{})
	c.patch(rotating(1, "k0", "", 0))
	missed := len(c.changes)
	for i := range 64 {
		c.patch(rotating(2+i, decode.SDKKey(fmt.Sprint("k", i+1)), decode.SDKKey(fmt.Sprint("k", i)), c.clock+1))
		c.at(c.clock + 1)
	}
	compose := func() (all Change, parts []Kind) {
		all = composeAll(c.changes[missed:])
		all.Split(func(part Change) bool { parts = append(parts, part.Kind); return true })
		return all, parts
	}
	if _, parts := compose(); len(parts) != 65 {
		t.Errorf("64 keys have expired, and these are the changes: %v", parts)
	}
	c.patch(rotating(100, "k65", "k64", c.clock+1))
	c.at(c.clock + 1)
	if all, parts := compose(); all.Key.count() != 1 || !slices.Equal(parts, []Kind{EnvironmentDeleted, EnvironmentAdded}) {
		t.Errorf("65 keys have expired, and these are the changes: %v", parts)
	}
}
