package diff

import (
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// NextExpiry returns when the next key expires; ok is false if none will.
func (s *State) NextExpiry() (t time.Time, ok bool) {
	if len(s.schedule) == 0 {
		return t, false
	}
	return time.UnixMilli(s.schedule[0].next), true
}

// Expire emits one KeyExpired for each environment that has keys whose time has come, by the wall clock. It
// stands for all of these keys; see Change.Split.
func (s *State) Expire(emit func(Change)) {
	if len(s.schedule) == 0 {
		return
	}
	for now := s.clock(); len(s.schedule) > 0 && s.schedule[0].next <= now; {
		s.expire(s.schedule[0], now, emit)
	}
}

// expire takes the keys that have expired by now out of an environment.
func (s *State) expire(r *keyring, now int64, emit func(Change)) {
	old, _, _ := s.environments.Get(r.named.EnvID)
	pending := r.pending
	e := environment{s.prune(r, now), r}
	s.environments.Replace(r.named.EnvID, e)
	s.stats.Expired += uint64(pending - r.pending)
	s.replaced(old.rep, e.rep)
	emit(Change{Kind: KeyExpired, Old: old.rep, New: e.rep, several: true})
}

// revise returns the environment that replaces old when a message names it, and whether keys of old expire
// with that. It uses the keyring of old again.
func (s *State) revise(old environment, named *decode.EnvironmentRep) (e environment, expires bool) {
	now, ring := s.clock(), old.keys
	if ring.still(old.rep, named, now) {
		ring.named = withLingering(named, old.rep.Lingering)
		return environment{ring.named, ring}, false
	}
	revised := newKeyring(named, now)
	if ring == nil {
		ring = new(keyring)
	} else {
		expired := revised.meet(ring, now)
		s.schedule.remove(ring)
		s.stats.Expired += uint64(expired)
		expires = expired > 0
	}
	*ring = revised
	if e.rep = s.prune(ring, now); ring.next != 0 || ring.dropped != 0 {
		e.keys = ring
	}
	return e, expires
}

// prune prunes the environment of a keyring, and schedules the next expiry.
func (s *State) prune(r *keyring, now int64) *decode.EnvironmentRep {
	s.schedule.remove(r)
	rep := r.prune(now)
	s.schedule.add(r)
	return rep
}

// clock returns the wall clock in Unix ms.
func (s *State) clock() int64 { return s.now().UnixMilli() }
