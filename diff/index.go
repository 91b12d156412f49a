package diff

import (
	"slices"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// A keyIndex maps each key, without its expiry, to the environments that accept it.
type keyIndex map[Key][]decode.EnvironmentID

// EnvironmentByKey returns an environment that accepts key, or nil. It ignores key.Expiry. A key past its expiry,
// by the wall clock, is not accepted, even if its KeyExpired has not been emitted yet.
//
// The first call builds an index of all keys, which takes time and memory in proportion to their number. Later
// calls are quick, and each change of an environment's keys updates the index. Because it may change the State,
// it must not be called concurrently with any other method.
func (s *State) EnvironmentByKey(key Key) *decode.EnvironmentRep {
	if s.index == nil {
		s.index = make(keyIndex, 2*s.environments.Len())
		for _, e := range s.environments.All {
			s.index.update(nil, e.rep)
		}
	}
	for _, id := range s.index[withoutTime(key)] {
		e, _, _ := s.environments.Get(id)
		if e.keys == nil || !e.keys.expired(key, s.clock()) {
			return e.rep
		}
	}
	return nil
}

// update replaces the keys of before by those of after. Either of them may be nil.
func (x keyIndex) update(before, after *decode.EnvironmentRep) {
	var b, a [few]Key
	old, current := b[:0], a[:0]
	switch {
	case before == nil:
		current = sortedKeys(current, after)
	case after == nil:
		old = sortedKeys(old, before)
	case sameKeys(before, after):
		return
	default:
		old, current = sortedKeys(old, before), sortedKeys(current, after)
	}
	for i, j := range align(old, current) {
		switch {
		case j < 0:
			x.remove(withoutTime(old[i]), before.EnvID)
		case i < 0:
			k := withoutTime(current[j])
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
