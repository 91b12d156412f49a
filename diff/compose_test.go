package diff

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// foldOldest composes changes from the oldest on.
func foldOldest(changes []Change) (all Change, ok bool) {
	for _, c := range changes {
		if !ok {
			all, ok = c, true
			continue
		}
		all, ok = Compose(all, c)
	}
	return all, ok
}

// foldNewest composes changes from the newest on.
func foldNewest(changes []Change) (all Change, ok bool) {
	for _, c := range slices.Backward(changes) {
		if !ok {
			all, ok = c, true
			continue
		}
		all, ok = Compose(c, all)
	}
	return all, ok
}

// checkCompose composes all changes of a subject that there were since the last look, in both orders. What the
// mirror makes of that must be the state, of which the model tells the keys.
func checkCompose(t *rapid.T) {
	m := newMachine(t)
	actions := m.actions()
	actions["look"] = func(t *rapid.T) {
		subjects := map[Subject][]Change{}
		for _, c := range m.waiting {
			subjects[c.Subject()] = append(subjects[c.Subject()], c)
		}
		m.waiting = nil
		for subject, changes := range subjects {
			c, ok := foldOldest(changes)
			other, also := foldNewest(changes)
			other.Version, other.Omitted = c.Version, c.Omitted // an addition and a deletion leave no trace
			if ok != also || ok && other != c {
				t.Fatalf("%v: %v, %t and %v, %t", subject, c, ok, other, also)
			}
			if ok {
				m.waiting = append(m.waiting, c)
			}
		}
		m.deliver(len(m.waiting))
	}
	actions[""] = func(*rapid.T) { m.check() }
	t.Repeat(actions)
}

func TestComposeIsApplyingBoth(t *testing.T) { rapid.Check(t, checkCompose) }

func FuzzCompose(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkCompose)) }

// TestComposeKinds names the kind for each pair of kinds that can follow each other.
func TestComposeKinds(t *testing.T) {
	a, b, c := env("a", 1), env("a", 2), env("a", 3)
	added := Change{Kind: EnvironmentAdded, New: &a}
	updated := Change{Kind: EnvironmentUpdated, Old: &a, New: &b}
	again := Change{Kind: EnvironmentUpdated, Old: &b, New: &c}
	deleted := Change{Kind: EnvironmentDeleted, Old: &b, Version: 7}
	expired := Change{Kind: KeyExpired, Old: &b, New: &c}
	readded := Change{Kind: EnvironmentAdded, New: &c}
	filter := &Filter{ID: "f"}
	for _, test := range []struct {
		older, newer Change
		want         Change // of kind 0 if there is none
	}{
		{added, updated, Change{Kind: EnvironmentAdded, New: &b}},
		{Change{Kind: EnvironmentAdded, New: &b}, expired, Change{Kind: EnvironmentAdded, New: &c}},
		{updated, again, Change{Kind: EnvironmentUpdated, Old: &a, New: &c}},
		{updated, deleted, Change{Kind: EnvironmentDeleted, Old: &a, Version: 7}},
		{Change{Kind: KeyExpired, Old: &a, New: &b}, Change{Kind: EnvironmentDeleted, Old: &b, Omitted: true}, Change{Kind: EnvironmentDeleted, Old: &a, Omitted: true}},
		{deleted, readded, Change{Kind: EnvironmentUpdated, Old: &b, New: &c}},
		{updated, expired, Change{Kind: EnvironmentUpdated, Old: &a, New: &c}},
		{Change{Kind: KeyExpired, Old: &a, New: &b}, again, Change{Kind: EnvironmentUpdated, Old: &a, New: &c}},
		{Change{Kind: KeyExpired, Old: &a, New: &b}, expired, Change{Kind: KeyExpired, Old: &a, New: &c, several: true}},
		{Change{Kind: EnvironmentAdded, New: &b}, deleted, Change{}},
		{Change{Kind: FilterUpdated, OldFilter: filter, NewFilter: filter}, Change{Kind: FilterDeleted, OldFilter: filter, Version: 7}, Change{Kind: FilterDeleted, OldFilter: filter, Version: 7}},
		{Change{Kind: FilterDeleted, OldFilter: filter, Omitted: true}, Change{Kind: FilterAdded, NewFilter: filter}, Change{Kind: FilterUpdated, OldFilter: filter, NewFilter: filter}},
		{Change{Kind: FilterAdded, NewFilter: filter}, Change{Kind: FilterDeleted, OldFilter: filter}, Change{}},
		{Change{Kind: Synced, Cached: true}, Change{Kind: Synced}, Change{Kind: Synced}},
	} {
		got, ok := Compose(test.older, test.newer)
		if ok != (test.want.Kind != 0) || ok && got != test.want {
			t.Errorf("%v, %v: %v %v, want %v", test.older.Kind, test.newer.Kind, got, ok, test.want)
		}
	}
}

// TestSplit composes all that a subscriber misses after a first message.
func TestSplit(t *testing.T) {
	for _, test := range []struct {
		name   string
		missed func(c *conversation)
		want   []string
	}{
		{"an update", func(c *conversation) { c.patch(rotating(2, "k3", "k2", 5000)) },
			[]string{"updated a@1>a@2", "announced k2 of a at 5000"}},
		{"an expiry", func(c *conversation) { c.at(2000) }, []string{"expired k1 of a at 2000"}},
		{"an expiry and an update", func(c *conversation) { c.at(2000); c.patch(rotating(2, "k3", "", 0)) },
			[]string{"updated a@1>a@2", "expired k1 of a at 2000"}},
		{"a rotation, and two expiries, of which one was never heard of", func(c *conversation) {
			c.patch(rotating(2, "k3", "k2", 2500))
			c.at(2500)
		}, []string{"updated a@1>a@2", "expired k1 of a at 2500"}},
		{"two rotations: the key that lost its place in the single slot is heard of", func(c *conversation) {
			c.patch(rotating(2, "k3", "k2", 2500))
			c.patch(rotating(3, "k4", "k3", 3500))
		}, []string{"updated a@1>a@3", "announced k3 of a at 3500", "announced k2 of a at 2500"}},
		{"a key that expires and becomes the current one", func(c *conversation) { c.at(2000); c.patch(rotating(2, "k1", "", 0)) },
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
		{"a deletion and an addition, without the key", func(c *conversation) {
			c.delete("a", 2)
			c.patch(rotating(3, "k3", "", 0))
		}, []string{"updated a@1>a@3", "expired k1 of a at 1000"}},
		{"and with it", func(c *conversation) {
			c.put()
			c.put(entry(rotating(1, "k3", "k1", 2000)))
		}, []string{"updated a@1>a@1"}},
		{"a deletion at last", func(c *conversation) {
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
			all, _ := foldOldest(missed)
			c.log = nil
			c.emit(all)
			c.want(test.want...)
		})
	}
}

// TestSplitItems demands what the individual changes of one that stands for several point to, and that Split
// stops when it is told to.
func TestSplitItems(t *testing.T) {
	before := array(1, key("k1", 0), key("k2", 3000), key("k3", 2000), key("k4", 0))
	after := array(2, key("k1", 0), key("k4", 0))
	k2, k3 := Key{SDKKey: "k2", Expiry: time.UnixMilli(3000)}, Key{SDKKey: "k3", Expiry: time.UnixMilli(2000)}
	type part struct {
		kind     Kind
		old, new *decode.EnvironmentRep
		key      Key
	}
	updated := []part{{EnvironmentUpdated, &before, &after, Key{}}, {KeyExpired, &after, &after, k3}, {KeyExpired, &after, &after, k2}}
	for _, test := range []struct {
		name string
		c    Change
		want []part
	}{
		{"an update", Change{Kind: EnvironmentUpdated, Old: &before, New: &after, several: true}, updated},
		{"one that stands for itself", Change{Kind: EnvironmentUpdated, Old: &before, New: &after}, updated[:1]},
		{"an expiry", Change{Kind: KeyExpired, Old: &before, New: &after, several: true},
			[]part{{KeyExpired, &before, &after, k3}, {KeyExpired, &after, &after, k2}}},
		{"an expiry that somebody else made", Change{Kind: KeyExpired, Old: &before, New: &after},
			[]part{{KeyExpired, &before, &after, k3}, {KeyExpired, &after, &after, k2}}},
		{"an individual expiry", Change{Kind: KeyExpired, Old: &before, New: &after, Key: &k2}, []part{{KeyExpired, &before, &after, k2}}},
		{"an expiry of keys without an expiry", Change{Kind: KeyExpired, Old: &after, New: &before, several: true},
			[]part{{EnvironmentUpdated, &after, &before, Key{}}}},
	} {
		for n := range len(test.want) {
			var got []part
			for c := range Split(stream.Just(test.c)).All(t.Context()) {
				p := part{kind: c.Kind, old: c.Old, new: c.New}
				if c.Key != nil {
					p.key = *c.Key
				}
				if got = append(got, p); len(got) == n+1 {
					break
				}
			}
			if !slices.Equal(got, test.want[:n+1]) {
				t.Errorf("%s, up to %d: %v, want %v", test.name, n, got, test.want[:n+1])
			}
		}
		parts := 0
		for c := range test.c.Split {
			if parts++; c.composed() {
				t.Errorf("%s: %v would be split again", test.name, c)
			}
		}
		if parts != len(test.want) {
			t.Errorf("%s: %d changes, want %d", test.name, parts, len(test.want))
		}
	}
}
