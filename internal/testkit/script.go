package testkit

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

// A Script has a server do what a server does, and what it should not, at random.
type Script struct {
	Server  *autoconfigtest.Server
	version int // the last one used
}

// Begin puts the first configuration.
func (s *Script) Begin(rng *rand.Rand) {
	s.Server.Put(Listing(s.environment(rng), s.environment(rng)))
}

// Act does one thing, and returns its name.
func (s *Script) Act(rng *rand.Rand) string {
	id := autoconfig.EnvironmentID('a' + rune(rng.IntN(5)))
	filter := autoconfig.FilterID('x' + rune(rng.IntN(3)))
	switch n := rng.IntN(100); {
	case n < 12:
		s.Server.Put(s.nextContent(rng))
		return "put"
	case n < 45:
		s.Server.Patch(s.environment(rng))
		return "patch"
	case n < 55:
		s.Server.Delete(id, s.nextVersion())
		return "delete"
	case n < 65:
		s.Server.PatchFilter(filter, decode.FilterRep{ProjKey: "p", FilterKey: string(filter), Version: s.nextVersion()})
		return "patch filter"
	case n < 70:
		s.Server.DeleteFilter(filter, s.nextVersion())
		return "delete filter"
	case n < 75:
		e := Environment(id, s.nextVersion())
		e.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Key: "no anchor", Value: "sdk-other"}}
		s.Server.Patch(e)
		return "refused patch"
	case n < 80:
		s.Server.Reconnect()
		return "reconnect"
	case n < 85:
		s.Server.EndConnections()
		return "end"
	case n < 90:
		s.Server.CloseConnections()
		return "close"
	case n < 93:
		s.Server.Patch(Environment(id, 1))
		return "stale patch"
	default:
		raw := []string{":\n", "retry: 10\n\n", "id: 7\n\n", "event: patch\ndata: {\n\n", "event: news\ndata: {}\n\n", "event: put\n\n",
			"event: delete\ndata: {\"path\":\"/segments/s\",\"version\":1}\n\n"}[rng.IntN(7)]
		s.Server.SendRaw([]byte(raw))
		return fmt.Sprintf("%q", raw)
	}
}

// newest is added to the versions that count in the end. It fits an int of 32 bits.
const newest = 1 << 30

// Final is an environment that the server has after End.
const Final = "final"

// End has the server serve newer versions of all that it has, which make good whatever was wrong before: newer than any
// number that doubled digits can have made.
func (s *Script) End() {
	last := s.Server.Content()
	for id, e := range last.Environments {
		e.SDKKeys, e.Version = nil, e.Version+newest
		last.Environments[id] = e
	}
	for id, f := range last.Filters {
		f.Version += newest
		last.Filters[id] = f
	}
	last.Environments[Final] = Environment(Final, newest)
	s.Server.Put(last)
}

// nextContent returns what the server serves with some of it missing and some of it new.
func (s *Script) nextContent(rng *rand.Rand) decode.PutContent {
	content := s.Server.Content()
	for id := 'a'; id < 'f'; id++ {
		if rng.IntN(3) == 0 {
			delete(content.Environments, autoconfig.EnvironmentID(id))
		}
	}
	e := s.environment(rng)
	content.Environments[e.EnvID] = e
	return content
}

func (s *Script) nextVersion() int {
	s.version++
	return s.version
}

// environment returns an environment of the next version with keys of all sorts.
func (s *Script) environment(rng *rand.Rand) autoconfig.EnvironmentRep {
	e := Environment(autoconfig.EnvironmentID('a'+rune(rng.IntN(5))), s.nextVersion())
	e.EnvName = strings.Repeat("name ", rng.IntN(20))
	expiry := time.Now().Add(time.Duration(rng.Int64N(int64(4*time.Minute))) - time.Minute).UnixMilli()
	keys := rng.Perm(3)
	key := func(i int) decode.SDKKey { return decode.SDKKey(fmt.Sprintf("sdk-%s-%d", string(e.EnvID), keys[i])) }
	e.SDKKey.Value = key(0)
	switch rng.IntN(3) {
	case 0:
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: key(1), Timestamp: expiry}
	case 1:
		e.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Value: key(1), Expiry: &expiry}, {Value: key(0)}, {Value: key(2)}}
	}
	return e
}

// DrawFault returns one or two faults of every kind that there is, if not none, and their names. again is a URL to
// redirect to, and forbidden how many of a hundred answers reject the key.
func DrawFault(rng *rand.Rand, again string, forbidden int) (name string, fault autoconfigtest.Fault) {
	var chain []autoconfigtest.Fault
	for range 1 + rng.IntN(2) {
		n := rng.Int64N(1 << (3 + rng.IntN(9)))
		for _, f := range []struct {
			name   string
			chance int // in 100
			fault  func() autoconfigtest.Fault
		}{
			{"cut", 10, func() autoconfigtest.Fault { return autoconfigtest.Cut(n) }},
			{"reset", 5, func() autoconfigtest.Fault { return autoconfigtest.Reset(n) }},
			{"stall", 5, func() autoconfigtest.Fault { return autoconfigtest.Stall(n) }},
			{"end", 5, func() autoconfigtest.Fault { return autoconfigtest.End(n) }},
			{"corrupt", 10, func() autoconfigtest.Fault { return autoconfigtest.Corrupt(n) }},
			{"repeat", 10, func() autoconfigtest.Fault { return autoconfigtest.Repeat(n, n+1+n%97) }},
			{"swap", 5, func() autoconfigtest.Fault { return autoconfigtest.Swap(int(n % 4)) }},
			{"drip", 3, func() autoconfigtest.Fault { return autoconfigtest.Drip(time.Duration(n) * time.Microsecond) }},
			{"malformed", 2, autoconfigtest.Malformed},
			{"huge", 2, func() autoconfigtest.Fault { return autoconfigtest.HugeEvent(65<<10 + n) }},
			{"hang", 2, autoconfigtest.Hang},
			{"again", 2, func() autoconfigtest.Fault { return autoconfigtest.Redirect(again) }},
			{"type", 2, func() autoconfigtest.Fault { return autoconfigtest.Header("Content-Type", "text/html") }},
			{"no type", 1, func() autoconfigtest.Fault { return autoconfigtest.Header("Content-Type", "") }},
			{"busy", 2, func() autoconfigtest.Fault {
				return autoconfigtest.Answer(429, http.Header{"Retry-After": {"7"}}, "later")
			}},
			{"status", 6, func() autoconfigtest.Fault { return autoconfigtest.Status(400 + 100*int(n%2) + 4) }},
			{"forbidden", forbidden, func() autoconfigtest.Fault { return autoconfigtest.Status(401 + 2*int(n%2)) }},
		} {
			if rng.IntN(100) < f.chance {
				name += fmt.Sprintf("%s(%d) ", f.name, n)
				chain = append(chain, f.fault())
				break
			}
		}
	}
	return name, autoconfigtest.Chain(chain...)
}
