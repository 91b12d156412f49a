package diff

import (
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// A keyIndex has the environments that accept a key, which is without its expiry.
type keyIndex map[Key]owners

// owners are the environments that accept a key: one, except where the configuration is odd.
type owners struct {
	one  decode.EnvironmentID
	more map[decode.EnvironmentID]struct{} // the others; nil if there were never any
}

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
	for id := range s.index[withoutTime(key)].all {
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
			x.add(withoutTime(current[j]), after.EnvID)
		}
	}
}

func (x keyIndex) add(k Key, id decode.EnvironmentID) {
	o, shared := x[k]
	switch {
	case !shared:
		x[k] = owners{one: id}
	case o.more == nil:
		o.more = map[decode.EnvironmentID]struct{}{id: {}}
		x[k] = o
	default:
		o.more[id] = struct{}{}
	}
}

func (x keyIndex) remove(k Key, id decode.EnvironmentID) {
	o := x[k]
	if o.one != id {
		delete(o.more, id)
		return
	}
	for other := range o.more { // any can take its place
		delete(o.more, other)
		o.one = other
		x[k] = o
		return
	}
	delete(x, k)
}

// all yields each of the environments.
func (o owners) all(yield func(decode.EnvironmentID) bool) {
	if o.one == "" || !yield(o.one) {
		return
	}
	for id := range o.more {
		if !yield(id) {
			return
		}
	}
}

func withoutTime(k Key) Key {
	k.Expiry = time.Time{}
	return k
}
