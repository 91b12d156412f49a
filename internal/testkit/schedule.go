package testkit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

// A Schedule decides on everything from its seed, for tests with the flags -faults.runs and -faults.seed.
type Schedule struct {
	Seed uint64
	Calm atomic.Bool // no more faults

	mu    sync.Mutex
	drawn map[int]int // how often each stream of random numbers was asked for
	log   []string
}

// Random returns the numbers for the next thing of a kind to decide on.
func (s *Schedule) Random(stream int) *rand.Rand {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn == nil {
		s.drawn = make(map[int]int)
	}
	s.drawn[stream]++
	return rand.New(rand.NewPCG(s.Seed, uint64(stream)<<32|uint64(s.drawn[stream])))
}

// Note writes a line for Report.
func (s *Schedule) Note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, time.Now().Format("15:04:05.000000 ")+fmt.Sprintf(format, args...))
}

// Report logs what happened if the test has failed.
func (s *Schedule) Report(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Failed() {
		t.Logf("schedule of -faults.seed=%d -faults.runs=1:\n%s", s.Seed, strings.Join(s.log, "\n"))
	}
}

// Dialer makes the connections of one client through a proxy, one in three of them with a random link, and direct ones
// when it is calm. So closing the proxy ends all faults.
func (s *Schedule) Dialer(stream int, proxy *autoconfigtest.Proxy, direct DialFunc) DialFunc {
	proxied := proxy.Client().Transport.(*http.Transport).DialContext
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if s.Calm.Load() {
			return direct(ctx, network, address)
		}
		var link autoconfigtest.Link
		if rng := s.Random(stream); rng.IntN(3) == 0 {
			link = autoconfigtest.RandomLink(rng)
			s.Note("connection of %d: %+v", stream, link)
		}
		proxy.Next(link)
		return proxied(ctx, network, address)
	}
}
