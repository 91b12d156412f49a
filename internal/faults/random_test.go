package faults_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
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
		s := &schedule{seed: seed, server: autoconfigtest.NewPipeServer(testkit.Key)}
		defer s.report(t)
		defer s.server.Close()
		var wires [3]*testkit.Wire
		for who := range wires {
			proxy := autoconfigtest.NewProxy(s.server)
			defer proxy.Close()
			s.proxies = append(s.proxies, proxy)
			wires[who] = testkit.NewWire(s.server)
			wires[who].Dial = s.dialer(who, wires[who].Dial)
		}
		s.server.Next(s.fault, s.fault, s.fault, s.fault, s.fault, s.fault)
		rng := s.random(script)
		a := gather(t, s.server, wires, autoconfig.Options{
			MaxEventSize: 64 << 10, InitialRetryDelay: time.Duration(1 + rng.Int64N(int64(time.Second))),
		}, s.pause)
		defer a.leave(t)
		s.play(rng)
		s.calmDown(t, a)
		a.check(t)
	})
}

// A schedule decides on everything from its seed.
type schedule struct {
	seed    uint64
	server  *autoconfigtest.Server
	proxies []*autoconfigtest.Proxy
	calm    atomic.Bool // no more faults

	mu    sync.Mutex
	drawn map[int]int // how often each stream of random numbers was asked for
	log   []string
}

// Streams of random numbers, the first of as many as there are clients or subscribers.
const (
	script   = 0
	requests = 10
	dials    = 20
	pauses   = 30
)

// random returns the numbers for the next thing of a kind to decide on.
func (s *schedule) random(stream int) *rand.Rand {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn == nil {
		s.drawn = make(map[int]int)
	}
	s.drawn[stream]++
	return rand.New(rand.NewPCG(s.seed, uint64(stream)<<32|uint64(s.drawn[stream])))
}

func (s *schedule) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, time.Now().Format("15:04:05.000000 ")+fmt.Sprintf(format, args...))
}

func (s *schedule) report(t *testing.T) {
	if t.Failed() {
		t.Logf("schedule of -faults.seed=%d -faults.runs=1:\n%s", s.seed, strings.Join(s.log, "\n"))
	}
}

// dialer makes the connections of one client, some of them through its proxy.
func (s *schedule) dialer(who int, direct testkit.DialFunc) testkit.DialFunc {
	proxied := s.proxies[who].Client().Transport.(*http.Transport).DialContext
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		rng := s.random(dials + who)
		if s.calm.Load() || rng.IntN(3) > 0 {
			return direct(ctx, network, address)
		}
		link := autoconfigtest.RandomLink(rng)
		s.note("client %d: %+v", who, link)
		s.proxies[who].Next(link)
		return proxied(ctx, network, address)
	}
}

// fault is an autoconfigtest.Fault that draws one, and plans itself again.
func (s *schedule) fault(next http.Handler) http.Handler {
	s.server.Next(s.fault)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := next
		if !s.calm.Load() {
			who := strings.Index("01", r.UserAgent()) // the StreamManager says something else
			if who < 0 {
				who = 2
			}
			again := s.server.URL + "/relay_auto_config?rpacProtocolVersion=2"
			name, fault := testkit.DrawFault(s.random(requests+who), again, 2*(2-who))
			s.note("request of client %d: %s", who, name)
			handler = fault(next)
		}
		handler.ServeHTTP(w, r)
	})
}

// pause is how long a subscriber takes for a change.
func (s *schedule) pause(who int) {
	if s.calm.Load() {
		return
	}
	if rng := s.random(pauses + who); rng.IntN(8) == 0 {
		time.Sleep(time.Duration(rng.Int64N(int64(2 * time.Second))))
	}
}

// play does what a server does, and what it should not.
func (s *schedule) play(rng *rand.Rand) {
	script := testkit.Script{Server: s.server}
	script.Begin(rng)
	for range 5 + rng.IntN(25) {
		name := script.Act(rng)
		s.note("server: %s", name)
		// Mostly several things in one go, at times a long silence.
		if rng.IntN(2) == 0 {
			testkit.Pass(time.Duration(rng.Int64N(1 << (20 + rng.IntN(20)))))
		}
	}
}

// newest is added to the versions that count in the end. It fits an int of 32 bits.
const newest = 1 << 30

// calmDown ends the faults, and has the server serve newer versions until everybody knows them.
func (s *schedule) calmDown(t *testing.T, a *audience) {
	s.calm.Store(true)
	s.server.CloseConnections()
	for _, proxy := range s.proxies {
		proxy.Close()
	}
	last := s.server.Content()
	for id, e := range last.Environments {
		e.SDKKeys, e.Version = nil, e.Version+newest
		last.Environments[id] = e
	}
	for id, f := range last.Filters {
		f.Version += newest
		last.Filters[id] = f
	}
	last.Environments["final"] = testkit.Environment("final", newest)
	s.server.Put(last)
	s.note("calm")
	// A key that was rejected is tried again after up to an hour.
	for deadline := time.Now().Add(2 * time.Hour); !a.knows("final"); testkit.Pass(10 * time.Second) {
		if time.Now().After(deadline) {
			t.Errorf("not everybody has recovered; the client is %+v", a.client.Stats().Status)
			return
		}
	}
	testkit.Pass(time.Second)
}
