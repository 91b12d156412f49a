package diff

import (
	"slices"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// A keyIndex has the IDs of the environments that accept a key. The keys are without expiry.
type keyIndex map[Key][]decode.EnvironmentID

// EnvironmentByKey returns the environment that accepts key, or nil if none does. It ignores key.Expiry. A key
// that has expired by the wall clock is not accepted, even if its KeyExpired has not been emitted yet. If several
// environments accept key, EnvironmentByKey returns one of them.
//
// The first call builds an index of all keys, in time and memory in proportion to their number. From then on,
// each change of an environment's keys updates the index.
func (s *State) EnvironmentByKey(key Key) *decode.EnvironmentRep {
	if s.index == nil {
		s.index = make(keyIndex, 2*s.environments.Len())
		for _, e := range s.environments.All {
			s.index.update(nil, e.rep)
		}
	}
	for _, id := range s.index[withoutTime(key)] {
		e, _, _ := s.environments.Get(id)
		if e.keys == nil || e.keys.accepts(key, s.clock()) {
			return e.rep
		}
	}
	return nil
}

// update replaces the keys of before by those of after. One of the two may be nil.
func (x keyIndex) update(before, after *decode.EnvironmentRep) {
	var old, current []Key
	switch {
	case before == nil:
		current = sortedKeys(after)
	case after == nil:
		old = sortedKeys(before)
	case sameKeys(before, after):
		return
	default:
		old, current = sortedKeys(before), sortedKeys(after)
	}
	for gone, added := range align(old, current) {
		switch {
		case added == nil:
			x.remove(withoutTime(*gone), before.EnvID)
		case gone == nil:
			k := withoutTime(*added)
			x[k] = append(x[k], after.EnvID)
		}
	}
}

func (x keyIndex) remove(k Key, id decode.EnvironmentID) {
	ids := x[k]
	i := slices.Index(ids, id)
	if ids = slices.Delete(ids, i, i+1); len(ids) == 0 {
		delete(x, k)
	} else {
		x[k] = ids
	}
}

func withoutTime(k Key) Key {
	k.Expiry = time.Time{}
	return k
}
