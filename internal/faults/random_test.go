package faults_test

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

var (
	faultRuns = flag.Int("faults.runs", 300, "how many random schedules of faults to run")
	faultSeed = flag.Uint64("faults.seed", 1, "the seed of the first schedule; the others have those that follow")
)

// TestRandomFaults runs schedules in which the server, what it says, the network and the subscribers
// are all unreliable. A schedule is made from its seed: what becomes of the n-th request and of the
// n-th connection of each client, what the server does when, and how long subscribers take.
//
// Among the faults are some that no network makes: inverted bits, and blocks that come twice. What
// such a fault makes of a name or a version may be valid, and a client that has accepted it ignores
// the true one of the same version. So the property is that a put of newer versions makes good all
// that was wrong before; newer than any number that doubled digits can have made.
func TestRandomFaults(t *testing.T) {
	var next atomic.Uint64
	for range 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := next.Add(1) - 1; i < uint64(*faultRuns) && !t.Failed(); i = next.Add(1) - 1 {
				runSchedule(t, *faultSeed+i)
			}
		})
	}
}

func runSchedule(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		s := &schedule{Schedule: testkit.Schedule{Seed: seed}, server: autoconfigtest.NewPipeServer(testkit.Key)}
		defer s.Report(t)
		defer s.server.Close()
		s.script.Server = s.server
		var wires [3]*testkit.Wire
		for who := range wires {
			proxy := autoconfigtest.NewProxy(s.server)
			defer proxy.Close()
			s.proxies = append(s.proxies, proxy)
			wires[who] = testkit.NewWire(s.server)
			wires[who].Dial = s.Dialer(dials+who, proxy, wires[who].Dial)
		}
		s.server.Next(s.fault, s.fault, s.fault, s.fault, s.fault, s.fault)
		rng := s.Random(script)
		a := gather(t, s.server, wires, autoconfig.Options{
			MaxEventSize: 64 << 10, InitialRetryDelay: time.Duration(1 + rng.Int64N(int64(time.Second))),
		}, s.pause)
		defer a.leave(t)
		s.play(rng)
		s.calmDown(t, a)
		a.check(t)
	})
}

type schedule struct {
	testkit.Schedule
	server  *autoconfigtest.Server
	script  testkit.Script
	proxies []*autoconfigtest.Proxy
}

// Streams of random numbers, the first of as many as there are clients or subscribers.
const (
	script   = 0
	requests = 10
	dials    = 20
	pauses   = 30
)

// fault is an autoconfigtest.Fault that draws one, and plans itself again.
func (s *schedule) fault(next http.Handler) http.Handler {
	s.server.Next(s.fault)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := next
		if !s.Calm.Load() {
			who := strings.Index("01", r.UserAgent()) // the StreamManager says something else
			if who < 0 {
				who = 2
			}
			again := s.server.URL + "/relay_auto_config?rpacProtocolVersion=2"
			name, fault := testkit.DrawFault(s.Random(requests+who), again, 2*(2-who))
			s.Note("request of client %d: %s", who, name)
			handler = fault(next)
		}
		handler.ServeHTTP(w, r)
	})
}

// pause is how long a subscriber takes for a change.
func (s *schedule) pause(who int) {
	if s.Calm.Load() {
		return
	}
	if rng := s.Random(pauses + who); rng.IntN(8) == 0 {
		time.Sleep(time.Duration(rng.Int64N(int64(2 * time.Second))))
	}
}

// play does what a server does, and what it should not.
func (s *schedule) play(rng *rand.Rand) {
	s.script.Begin(rng)
	for range 5 + rng.IntN(25) {
		name := s.script.Act(rng)
		s.Note("server: %s", name)
		// Mostly several things in one go, at times a long silence.
		if rng.IntN(2) == 0 {
			testkit.Pass(time.Duration(rng.Int64N(1 << (20 + rng.IntN(20)))))
		}
	}
}

// calmDown ends the faults, and has the server serve newer versions until everybody knows them.
func (s *schedule) calmDown(t *testing.T, a *audience) {
	s.Calm.Store(true)
	s.server.CloseConnections()
	for _, proxy := range s.proxies {
		proxy.Close()
	}
	s.script.End()
	s.Note("calm")
	// A key that was rejected is tried again after up to an hour.
	for deadline := time.Now().Add(2 * time.Hour); !a.knows(testkit.Final); testkit.Pass(10 * time.Second) {
		if time.Now().After(deadline) {
			t.Errorf("not everybody has recovered; the client is %+v", a.client.Stats().Status)
			return
		}
	}
	testkit.Pass(time.Second)
}
