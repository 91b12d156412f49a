package diff

import (
	"maps"
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
	expired      map[decode.EnvironmentID][]Key // since the environment was added
}

func (v *view) apply(c Change) {
	id := c.Subject()
	switch c.Kind {
	case EnvironmentAdded, EnvironmentUpdated, EnvironmentDeleted, KeyExpired:
		if v.environments[id.Environment] != c.Old {
			v.t.Fatalf("%v does not follow %v", c, v.environments[id.Environment])
		}
		v.environments[id.Environment] = c.New
		if c.New == nil {
			delete(v.environments, id.Environment)
			delete(v.expired, id.Environment)
		}
		if c.Kind == KeyExpired {
			v.expired[id.Environment] = append(v.expired[id.Environment], Key{SDKKey: c.Key.SDKKey})
		}
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

func (v *view) clone() *view {
	return &view{v.t, maps.Clone(v.environments), maps.Clone(v.filters), map[decode.EnvironmentID][]Key{}}
}

// drawMessage draws a message about few items, so that they meet often.
func drawMessage(t *rapid.T, clock int64) decode.Message {
	id := rapid.SampledFrom([]string{"a", "b"})
	version := rapid.IntRange(0, 30)
	listed := func() decode.EnvironmentEntry {
		keys := rapid.SampledFrom([]decode.SDKKey{"k1", "k2", "k3"})
		e := env(id.Draw(t, "id"), version.Draw(t, "version"))
		e.SDKKey.Value = keys.Draw(t, "key")
		at := clock + rapid.Int64Range(-5, 50).Draw(t, "expiry")
		if rapid.Bool().Draw(t, "array") {
			e.SDKKeys = append(array(0, key(e.SDKKey.Value, 0)).SDKKeys, key(keys.Draw(t, "old key"), at))
		} else {
			e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: keys.Draw(t, "old key"), Timestamp: at}
		}
		return entry(e)
	}
	filter := func() decode.FilterEntry {
		v := version.Draw(t, "version")
		return decode.FilterEntry{ID: decode.FilterID(id.Draw(t, "id")), Version: v, Rep: &decode.FilterRep{Version: v}}
	}
	switch rapid.IntRange(0, 5).Draw(t, "message") {
	case 0:
		return decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: []decode.EnvironmentEntry{listed()}, Filters: []decode.FilterEntry{filter()}}}
	case 1:
		return decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: decode.EnvironmentID(id.Draw(t, "id")), Version: version.Draw(t, "version")}}
	case 2:
		return decode.Message{Kind: decode.Patch, Filter: filter()}
	case 3:
		return decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: decode.FilterID(id.Draw(t, "id")), Version: version.Draw(t, "version")}}
	default:
		return decode.Message{Kind: decode.Patch, Environment: listed()}
	}
}

// checkCompose compares applying a window of changes one by one with applying what they compose to,
// per subject.
func checkCompose(t *rapid.T) {
	clock := int64(1000)
	state := NewState(nil)
	state.now = func() time.Time { return time.UnixMilli(clock) }
	plain := &view{t, map[decode.EnvironmentID]*decode.EnvironmentRep{}, map[decode.FilterID]*Filter{}, map[decode.EnvironmentID][]Key{}}
	for range rapid.IntRange(1, 5).Draw(t, "windows") {
		composed := plain.clone()
		known := maps.Clone(plain.environments)
		plain.expired = map[decode.EnvironmentID][]Key{}
		waiting := map[Subject]Change{}
		for range rapid.IntRange(0, 8).Draw(t, "messages") {
			m := drawMessage(t, clock)
			clock += rapid.Int64Range(0, 20).Draw(t, "time")
			state.Apply(&m, func(c Change) {
				plain.apply(c)
				if older, ok := waiting[c.Subject()]; ok {
					if c, ok = Compose(older, c); !ok {
						delete(waiting, c.Subject())
						delete(waiting, older.Subject())
						return
					}
				}
				waiting[c.Subject()] = c
			})
		}
		for _, c := range waiting {
			c.Split(func(part Change) bool { composed.apply(part); return true })
		}
		compareViews(t, composed, plain, known)
	}
}

func compareViews(t *rapid.T, composed, plain *view, known map[decode.EnvironmentID]*decode.EnvironmentRep) {
	if !maps.Equal(composed.environments, plain.environments) || !maps.Equal(composed.filters, plain.filters) {
		t.Fatalf("composed %v %v, one by one %v %v", composed.environments, composed.filters, plain.environments, plain.filters)
	}
	for id, e := range plain.environments {
		told := map[Key]bool{}
		for _, k := range composed.expired[id] {
			if told[k] || accepts(e, &k) {
				t.Fatalf("%s expires twice, or is accepted still", k.SDKKey)
			}
			told[k] = true
		}
		for _, k := range plain.expired[id] {
			if known[id] != nil && !accepts(e, &k) && !told[k] {
				t.Fatalf("the expiry of %s is lost", string(k.SDKKey))
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
