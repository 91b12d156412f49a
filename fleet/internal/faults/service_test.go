//go:build unix

package faults_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// An edition is an item at a version.
type edition struct {
	diff.Subject
	version int
}

// A service is the auto-configuration service. It keeps account of the lives of items: a life begins when an item is
// added, and ends when it is deleted or omitted.
type service struct {
	*autoconfigtest.Server

	mu      sync.Mutex
	version int                                                // the last that was given
	lives   map[diff.Subject][]int                             // the versions of the present life of each item
	ended   map[edition]int                                    // how many lives that had the edition have ended
	omitted map[autoconfig.EnvironmentID]decode.EnvironmentRep // environments that may come back at the same version
}

func newService() *service {
	return &service{
		Server: autoconfigtest.NewServer(testkit.Key), lives: make(map[diff.Subject][]int), ended: make(map[edition]int),
		omitted: make(map[autoconfig.EnvironmentID]decode.EnvironmentRep),
	}
}

func (s *service) nextVersion() int {
	s.version++
	return s.version
}

// lived records that an item is now at a version.
func (s *service) lived(subject diff.Subject, version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives[subject] = append(s.lives[subject], version)
	delete(s.omitted, subject.Environment)
}

// end records the end of the life of an item, before anybody can hear of it.
func (s *service) end(subject diff.Subject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, version := range s.lives[subject] {
		s.ended[edition{subject, version}]++
	}
	delete(s.lives, subject)
}

// endings returns how many lives that had the edition have ended.
func (s *service) endings(e edition) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended[e]
}

// act does something at random and says what.
func (s *service) act(rng *rand.Rand) string {
	id := autoconfig.EnvironmentID('a' + rune(rng.IntN(8)))
	filter := autoconfig.FilterID('x' + rune(rng.IntN(3)))
	switch n := rng.IntN(100); {
	case n < 20:
		return s.put(rng)
	case n < 65:
		e := s.environment(id, rng)
		s.lived(diff.Subject{Environment: id}, e.Version)
		s.Patch(e)
		return fmt.Sprintf("patch %s %d", string(id), e.Version)
	case n < 78:
		s.end(diff.Subject{Environment: id})
		version := s.nextVersion()
		delete(s.omitted, id)
		s.Delete(id, version)
		return fmt.Sprintf("delete %s %d", string(id), version)
	case n < 88:
		f := decode.FilterRep{ProjKey: "p", FilterKey: string(filter), Version: s.nextVersion()}
		s.lived(diff.Subject{Filter: filter}, f.Version)
		s.PatchFilter(filter, f)
		return fmt.Sprintf("patch filter %s %d", filter, f.Version)
	case n < 95:
		s.end(diff.Subject{Filter: filter})
		version := s.nextVersion()
		s.DeleteFilter(filter, version)
		return fmt.Sprintf("delete filter %s %d", filter, version)
	default:
		if _, ok := s.Content().Environments[id]; ok {
			s.Patch(testkit.Environment(id, 0))
		}
		return fmt.Sprintf("stale patch %s", string(id))
	}
}

// put omits some items, changes one, and has some come back that were omitted.
func (s *service) put(rng *rand.Rand) string {
	content := s.Content()
	what := "put"
	for id := autoconfig.EnvironmentID("a"); id < "i"; id = autoconfig.EnvironmentID(id[0] + 1) {
		e, ok := content.Environments[id]
		gone, away := s.omitted[id]
		switch {
		case ok && rng.IntN(3) == 0:
			delete(content.Environments, id)
			s.end(diff.Subject{Environment: id})
			s.omitted[id] = e
			what += fmt.Sprintf(" -%s", string(id))
		case away && rng.IntN(2) == 0:
			content.Environments[id] = gone
			s.lived(diff.Subject{Environment: id}, gone.Version)
			what += fmt.Sprintf(" +%s %d", string(id), gone.Version)
		}
	}
	for id := range content.Filters {
		if rng.IntN(3) == 0 {
			delete(content.Filters, id)
			s.end(diff.Subject{Filter: id})
			what += fmt.Sprintf(" -%s", id)
		}
	}
	e := s.environment(autoconfig.EnvironmentID('a'+rune(rng.IntN(8))), rng)
	s.lived(diff.Subject{Environment: e.EnvID}, e.Version)
	if content.Environments == nil {
		content.Environments = make(map[autoconfig.EnvironmentID]decode.EnvironmentRep)
	}
	content.Environments[e.EnvID] = e
	s.Put(content)
	return what + fmt.Sprintf(" *%s %d", string(e.EnvID), e.Version)
}

// environment returns an environment of the next version with a new SDK key. That before it may go on to be accepted
// for a while.
func (s *service) environment(id autoconfig.EnvironmentID, rng *rand.Rand) decode.EnvironmentRep {
	e := testkit.Environment(id, s.nextVersion())
	e.SDKKey.Value = decode.SDKKey(fmt.Sprintf("sdk-%s-%d", string(id), e.Version))
	before := s.Content().Environments[id].SDKKey.Value
	expiry := time.Now().Add(time.Duration(rng.Int64N(int64(4*time.Second))) - time.Second/4).UnixMilli()
	switch n := rng.IntN(4); {
	case before == "":
	case n < 2:
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: before, Timestamp: expiry}
	case n == 2:
		e.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Value: before, Expiry: &expiry}, {Value: e.SDKKey.Value}}
	}
	return e
}
