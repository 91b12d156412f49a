package diff

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A modelTable is what Table means, written down with no thought of cost.
type modelTable struct {
	limit  int
	known  map[string]modelSlot
	live   []string // in order of addition
	buried []string // in order of deletion
}

type modelSlot struct {
	live    bool
	version int
	value   int
}

func without1(list []string, key string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(k string) bool { return k == key })
}

func (m *modelTable) upsert(key string, version, value int) (old int, outcome Outcome) {
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

func (m *modelTable) delete(key string, version int) (old int, outcome Outcome) {
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

func (m *modelTable) put(entries []Entry[string, int]) (log []string) {
	listed := map[string]bool{}
	for i, e := range entries {
		listed[e.Key] = true
		later := slices.ContainsFunc(entries[i+1:], func(l Entry[string, int]) bool { return l.Key == e.Key })
		if later {
			continue
		}
		old, outcome := 0, Ignored
		if s := m.known[e.Key]; e.Unusable {
		} else if s.live && s.version == e.Version {
			old = s.value
		} else {
			old, outcome = m.upsert(e.Key, e.Version, e.Value)
		}
		log = append(log, fmt.Sprint("changed ", i, old, outcome))
	}
	for _, key := range slices.Clone(m.live) {
		if !listed[key] {
			log = append(log, fmt.Sprint("deleted ", key, m.known[key].value))
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
	table := NewTable[string, int](limit)
	model := &modelTable{limit: limit, known: map[string]modelSlot{}}
	key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
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
		"put": func(t *rapid.T) {
			entries := make([]Entry[string, int], rapid.IntRange(0, 6).Draw(t, "entries"))
			for i := range entries {
				value++
				entries[i] = Entry[string, int]{Key: key.Draw(t, "key"), Version: version.Draw(t, "version"), Value: value, Unusable: rapid.Bool().Draw(t, "unusable")}
			}
			var log []string
			table.Put(len(entries), func(i int) Entry[string, int] { return entries[i] },
				func(i, old int, outcome Outcome) {
					log = append(log, fmt.Sprint("changed ", i, old, outcome))
					// Each of the two may look at the table, and give keys other values.
					if v, _, ok := table.Get(entries[i].Key); ok {
						table.Replace(entries[i].Key, -v)
						table.Replace(entries[i].Key, v)
					}
					if v, n, _ := table.Get(entries[i].Key); (outcome == Added || outcome == Updated) && (v != entries[i].Value || n != entries[i].Version) {
						t.Fatalf("%v, but there is %d at %d", outcome, v, n)
					}
				},
				func(key string, old int) { log = append(log, fmt.Sprint("deleted ", key, old)) })
			if want := model.put(entries); !slices.Equal(log, want) {
				t.Fatalf("put: %q, want %q", log, want)
			}
		},
		"": func(t *rapid.T) {
			var keys []string
			for k, v := range table.All {
				got, n, ok := table.Get(k)
				if want := model.known[k]; !ok || v != got || (modelSlot{live: true, version: n, value: v}) != want {
					t.Fatalf("%s is %v at %v, want %v", k, v, n, want)
				}
				keys = append(keys, k)
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

func TestTableIsItsModel(t *testing.T) { rapid.Check(t, checkTable) }

func FuzzTable(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkTable)) }
