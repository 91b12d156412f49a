package autoconfigtest

import (
	"maps"
	"slices"

	"github.com/relaystream/autoconfig/decode"
)

// A state is what a client holds when it has received every message since the first put.
type state struct {
	environments table[decode.EnvironmentID, decode.EnvironmentRep]
	filters      table[decode.FilterID, decode.FilterRep]
}

// put replaces everything with content, which must not be modified afterwards.
func (s *state) put(content decode.PutContent) {
	s.environments.replace(content.Environments, func(e decode.EnvironmentRep) int { return e.Version })
	s.filters.replace(content.Filters, func(f decode.FilterRep) int { return f.Version })
}

// content returns the state as the content of a put, with nil environments before the first put. It
// shares its maps with the state.
func (s *state) content() decode.PutContent {
	return decode.PutContent{Environments: s.environments.items, Filters: s.filters.items}
}

// A table has the items of one kind and the last version seen of each ID: that of its item or,
// until the next put, that of its deletion. The maps are nil until the first put.
type table[ID ~string, T any] struct {
	items    map[ID]T
	versions map[ID]int
}

// stale reports whether a message of this version is too old to have an effect.
func (t *table[ID, T]) stale(id ID, version int) bool {
	known, ok := t.versions[id]
	return ok && version <= known
}

func (t *table[ID, T]) upsert(id ID, item T, version int) {
	if t.items == nil || t.stale(id, version) {
		return
	}
	t.items[id], t.versions[id] = item, version
}

func (t *table[ID, T]) remove(id ID, version int) {
	if t.items == nil || t.stale(id, version) {
		return
	}
	delete(t.items, id)
	t.versions[id] = version
}

// replace forgets what items doesn't list. Of each listed ID the newer version stays, even if that is
// a deletion.
func (t *table[ID, T]) replace(items map[ID]T, version func(T) int) {
	old := *t
	t.items, t.versions = make(map[ID]T, len(items)), make(map[ID]int, len(items))
	for id, item := range items {
		if !old.stale(id, version(item)) {
			t.items[id], t.versions[id] = item, version(item)
			continue
		}
		t.versions[id] = old.versions[id]
		if live, ok := old.items[id]; ok {
			t.items[id] = live
		}
	}
}

func cloneContent(content decode.PutContent) decode.PutContent {
	environments := maps.Clone(content.Environments)
	for id, environment := range environments {
		environments[id] = cloneEnvironment(environment)
	}
	return decode.PutContent{Environments: environments, Filters: maps.Clone(content.Filters)}
}

func cloneEnvironment(environment decode.EnvironmentRep) decode.EnvironmentRep {
	environment.SDKKeys = cloneKeys(environment.SDKKeys)
	environment.MobileKeys = cloneKeys(environment.MobileKeys)
	return environment
}

func cloneKeys[K decode.SDKKey | decode.MobileKey](keys []decode.ConcurrentKeyRep[K]) []decode.ConcurrentKeyRep[K] {
	keys = slices.Clone(keys)
	for i, key := range keys {
		if key.Expiry != nil {
			expiry := *key.Expiry
			keys[i].Expiry = &expiry
		}
	}
	return keys
}
