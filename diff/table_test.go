package diff

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
)

// A modelTable is what Table means, written down with no thought of cost.
type modelTable struct {
	limit  int
	known  map[ID]modelSlot
	live   []ID // in order of addition
	buried []ID // in order of deletion
}

type ID = decode.EnvironmentID

type modelSlot struct {
	live    bool
	version int
	value   int
}

func without1(list []ID, key ID) []ID {
	return slices.DeleteFunc(slices.Clone(list), func(k ID) bool { return k == key })
}

func (m *modelTable) upsert(key ID, version, value int) (old int, outcome Outcome) {
	s, known := m.known[key]
	switch {
	case known && version <= s.version:
		return 0, Stale
	case s.live:
		old, outcome = s.value, Updated
	default:
		outcome = Added
		m.live = append(m.live, key)
		m.buried = without1(m.buried, key)
	}
	m.known[key] = modelSlot{live: true, version: version, value: value}
	return old, outcome
}

func (m *modelTable) delete(key ID, version int) (old int, outcome Outcome) {
	s, known := m.known[key]
	switch {
	case known && !s.live && version <= s.version:
		return 0, Ignored
	case known && version <= s.version:
		return 0, Stale
	}
	if s.live {
		old, outcome = s.value, Deleted
		m.live = without1(m.live, key)
	}
	m.known[key] = modelSlot{version: version}
	m.buried = append(without1(m.buried, key), key)
	if len(m.buried) > m.limit {
		delete(m.known, m.buried[0])
		m.buried = m.buried[1:]
	}
	return old, outcome
}

func (m *modelTable) omit(key ID) (old int, outcome Outcome) {
	if s := m.known[key]; s.live {
		old, outcome = s.value, Deleted
	}
	delete(m.known, key)
	m.live, m.buried = without1(m.live, key), without1(m.buried, key)
	return old, outcome
}

// An item is an entry of a put, in the place of an environment.
type item struct{ value int }

func (m *modelTable) put(entries []decode.Entry[ID, item]) (log []string) {
	listed := map[ID]bool{}
	for i, e := range entries {
		listed[e.ID] = true
		later := slices.ContainsFunc(entries[i+1:], func(l decode.Entry[ID, item]) bool { return l.ID == e.ID })
		if later {
			continue
		}
		old, outcome := 0, Ignored
		if s := m.known[e.ID]; e.Rep == nil {
		} else if s.live && s.version == e.Version {
			old = s.value
		} else {
			old, outcome = m.upsert(e.ID, e.Version, e.Rep.value)
		}
		log = append(log, fmt.Sprint("changed ", i, old, outcome))
	}
	for _, key := range slices.Clone(m.live) {
		if !listed[key] {
			log = append(log, fmt.Sprint("deleted ", m.known[key].value))
			m.live = without1(m.live, key)
			delete(m.known, key)
		}
	}
	for _, key := range slices.Clone(m.buried) {
		if !listed[key] {
			m.buried = without1(m.buried, key)
			delete(m.known, key)
		}
	}
	return log
}

// checkTable runs random operations on a table and on its model.
func checkTable(t *rapid.T) {
	limit := rapid.IntRange(0, 3).Draw(t, "limit")
	table := NewTable[ID, int](limit)
	model := &modelTable{limit: limit, known: map[ID]modelSlot{}}
	key := rapid.SampledFrom([]ID{"a", "b", "c", "d", "e"})
	version := rapid.IntRange(0, 6)
	value := 0
	t.Repeat(map[string]func(*rapid.T){
		"upsert": func(t *rapid.T) {
			k, n := key.Draw(t, "key"), version.Draw(t, "version")
			value++
			old, outcome := table.Upsert(k, n, value)
			wantOld, want := model.upsert(k, n, value)
			if old != wantOld || outcome != want {
				t.Fatalf("upsert: %v %v, want %v %v", old, outcome, wantOld, want)
			}
		},
		"delete": func(t *rapid.T) {
			k, n := key.Draw(t, "key"), version.Draw(t, "version")
			old, outcome := table.Delete(k, n)
			wantOld, want := model.delete(k, n)
			if old != wantOld || outcome != want {
				t.Fatalf("delete: %v %v, want %v %v", old, outcome, wantOld, want)
			}
		},
		"omit": func(t *rapid.T) {
			k := key.Draw(t, "key")
			old, outcome := table.Omit(k)
			if wantOld, want := model.omit(k); old != wantOld || outcome != want {
				t.Fatalf("omit: %v %v, want %v %v", old, outcome, wantOld, want)
			}
		},
		"put": func(t *rapid.T) {
			entries := make([]decode.Entry[ID, item], rapid.IntRange(0, 6).Draw(t, "entries"))
			for i := range entries {
				value++
				entries[i] = decode.Entry[ID, item]{ID: key.Draw(t, "key"), Version: version.Draw(t, "version")}
				if rapid.Bool().Draw(t, "usable") {
					entries[i].Rep = &item{value}
				}
			}
			if log, want := putAll(t, table, entries), model.put(entries); !slices.Equal(log, want) {
				t.Fatalf("put: %q, want %q", log, want)
			}
		},
		"": func(t *rapid.T) {
			var keys []ID
			for k, v := range table.All {
				got, n, ok := table.Get(k)
				if want := model.known[k]; !ok || v != got || (modelSlot{live: true, version: n, value: v}) != want {
					t.Fatalf("%s is %v at %v, want %v", k, v, n, want)
				}
				keys = append(keys, k)
			}
			if table.unused != 0 {
				t.Fatalf("%d slots are counted as unused", table.unused)
			}
			if !slices.Equal(keys, model.live) || table.Len() != len(model.live) {
				t.Fatalf("live: %q of %d, want %q", keys, table.Len(), model.live)
			}
			if table.Tombstones() != len(model.buried) || len(table.slots) != len(model.known) {
				t.Fatalf("%d tombstones, %d slots; want %d, %d", table.Tombstones(), len(table.slots), len(model.buried), len(model.known))
			}
		},
	})
}

// putAll applies a put and logs what it did.
func putAll(t *rapid.T, table *Table[ID, int], entries []decode.Entry[ID, item]) (log []string) {
	upsert := func(s *slot[ID, int], e *decode.Entry[ID, item]) {
		i := 0
		for &entries[i] != e {
			i++
		}
		old, outcome := 0, Ignored
		switch {
		case e.Rep == nil:
		case s.is(e.Version):
			old = s.value
		default:
			old, outcome = table.upsert(s, e.Version, e.Rep.value)
		}
		log = append(log, fmt.Sprint("changed ", i, old, outcome))
		if v, n, _ := table.Get(e.ID); (outcome == Added || outcome == Updated) && (v != e.Rep.value || n != e.Version) {
			t.Fatalf("%v, but there is %d at %d", outcome, v, n)
		}
	}
	omit := func(old int) { log = append(log, fmt.Sprint("deleted ", old)) }
	table.begin(len(entries))
	if err := put(t.Context(), table, entries, upsert, omit); err != nil {
		t.Fatal(err)
	}
	return log
}

func TestTableIsItsModel(t *testing.T) { rapid.Check(t, checkTable) }

func FuzzTable(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkTable)) }

func TestReplacePanicsWithoutAValue(t *testing.T) {
	table := NewTable[ID, int](1)
	table.Delete("deleted", 1)
	for _, id := range []ID{"unknown", "deleted"} {
		func() {
			defer func() {
				if _, ok := recover().(string); !ok {
					t.Errorf("Replace of what is %s did not panic with a sentence", id)
				}
			}()
			table.Replace(id, 1)
		}()
	}
}

// TestKeysInOrderAreFoundWithoutTheMap, forwards and backwards, once two of them have been asked for in order.
func TestKeysInOrderAreFoundWithoutTheMap(t *testing.T) {
	table := NewTable[ID, int](0)
	var ids []ID
	for i := range 20 {
		ids = append(ids, ID(fmt.Sprint(i)))
		table.Upsert(ids[i], 1, i)
	}
	table.find(ids[0])
	table.find(ids[1])
	clear(table.slots)
	order := slices.Clone(ids)
	slices.Reverse(order)
	for _, id := range append(ids[2:], order...) {
		if s := table.find(id); s == nil || s.key != id {
			t.Fatalf("%s is not found", id)
		}
	}
}
