package hub_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
)

var (
	faultRuns   = flag.Int("faults.runs", 40, "how many random schedules of faults to run")
	faultSeed   = flag.Uint64("faults.seed", 1, "the seed of the first schedule; the others have those that follow")
	faultStride = flag.Int("faults.stride", 151, "break the conversation at every n-th byte")
)

// An audience follows a server through hubs in a row: with a Client, and in the classic way.
type audience struct {
	mirror  *testkit.Mirror
	client  *autoconfig.Client
	classic *classic
	stop    context.CancelFunc
	running sync.WaitGroup
}

// gather connects an audience to the last hub, with an HTTP client for each.
func gather(t *testing.T, url string, first, second *http.Client) *audience {
	a := &audience{mirror: testkit.NewMirror("Changes"), classic: newClassic()}
	a.client = testkit.Open(t, &autoconfig.Options{BaseURI: url, HTTPClient: first})
	ctx, stop := context.WithCancel(t.Context())
	a.stop = stop
	a.running.Go(func() {
		_ = a.client.Changes().ForEach(ctx, func(c autoconfig.Change) error {
			a.mirror.Apply(c)
			return nil
		})
	})
	second.Transport.(*http.Transport).ResponseHeaderTimeout = 10 * time.Second
	a.running.Go(func() { a.classic.run(ctx, second, url) })
	return a
}

func (a *audience) check(t *testing.T, server *autoconfigtest.Server) {
	t.Helper()
	want := testkit.Current(server.Content())
	a.mirror.Check(t, want)
	a.classic.check(t, want)
}

func (a *audience) leave() {
	a.stop()
	a.running.Wait()
}

// TestRandomFaultsBehindHubs has one, two or five hubs in a row between a server and two clients. The server, what it says,
// and every network between are unreliable. Once they have become reliable, everybody has the server's configuration.
func TestRandomFaultsBehindHubs(t *testing.T) {
	for i := range *faultRuns {
		if runSchedule(t, *faultSeed+uint64(i)); t.Failed() {
			return
		}
	}
}

// Streams of random numbers, the last two the first of as many as there are networks.
const (
	script   = 0
	requests = 10
	dials    = 20
)

func runSchedule(t *testing.T, seed uint64) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		s := &testkit.Schedule{Seed: seed}
		defer s.Report(t)
		rng := s.Random(script)
		hubs := []int{1, 2, 5}[rng.IntN(3)]
		var proxies []*autoconfigtest.Proxy
		link := func(to *autoconfigtest.Server, number int) *http.Client {
			proxy, wire := autoconfigtest.NewProxy(to), testkit.NewWire(to)
			t.Cleanup(proxy.Close)
			proxies = append(proxies, proxy)
			wire.Dial = s.Dialer(dials+number, proxy, wire.Dial)
			return wire.Client()
		}
		url, next := srv.URL, srv
		for n := range hubs {
			upstream := &autoconfig.Options{BaseURI: url, HTTPClient: link(next, n)}
			h := serve(t, upstream, hub.Options{}, rng.IntN(2) == 0, randomFaults(s, n))
			url, next = h.server.URL, h.server
		}
		a := gather(t, url, link(next, 8), link(next, 9))
		defer a.leave()

		what := testkit.Script{Server: srv}
		what.Begin(rng)
		for range 5 + rng.IntN(25) {
			s.Note("server: %s", what.Act(rng))
			if rng.IntN(2) == 0 {
				testkit.Pass(time.Duration(rng.Int64N(1 << (20 + rng.IntN(20)))))
			}
		}
		s.Calm.Store(true)
		for _, proxy := range proxies {
			proxy.Close() // everybody connects anew
		}
		what.End()
		for deadline := time.Now().Add(2 * time.Hour); !a.mirror.Knows(testkit.Final) || !a.classic.knows(testkit.Final); testkit.Pass(10 * time.Second) {
			if time.Now().After(deadline) {
				t.Fatalf("not everybody has recovered; the client is %+v", a.client.Stats().Status)
			}
		}
		testkit.Pass(5 * time.Minute) // for whoever has yet to connect
		a.check(t, srv)
	})
}

// randomFaults returns what becomes of the requests to a hub: what networks and servers do, and none that changes bytes.
func randomFaults(s *testkit.Schedule, number int) autoconfigtest.Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler := next
			if rng := s.Random(requests + number); !s.Calm.Load() && rng.IntN(3) == 0 {
				name, fault := drawFault(rng)
				s.Note("request of hub %d: %s", number, name)
				handler = fault(next)
			}
			handler.ServeHTTP(w, r)
		})
	}
}

func drawFault(rng *rand.Rand) (string, autoconfigtest.Fault) {
	n := rng.Int64N(1 << (3 + rng.IntN(9)))
	switch rng.IntN(7) {
	case 0:
		return fmt.Sprint("cut ", n), autoconfigtest.Cut(n)
	case 1:
		return fmt.Sprint("stall ", n), autoconfigtest.Stall(n)
	case 2:
		return fmt.Sprint("end ", n), autoconfigtest.End(n)
	case 3:
		return "drip", autoconfigtest.Drip(time.Duration(n) * time.Microsecond)
	case 4:
		return "hang", autoconfigtest.Hang()
	case 5:
		return "busy", autoconfigtest.Answer(http.StatusTooManyRequests, http.Header{"Retry-After": {"7"}}, "later")
	default:
		return "status", autoconfigtest.Status(500 + 4*int(n%2))
	}
}

// TestConversationBrokenAnywhereBehindHub breaks a conversation over a hub at each byte of the network, once between the
// service and the hub and once behind the hub, by an end of the connection and by silence.
func TestConversationBrokenAnywhereBehindHub(t *testing.T) {
	for _, before := range []bool{true, false} {
		length := breakAt(t, before, -1, false)
		if length < 3000 || length > 20000 {
			t.Fatalf("the conversation has %d bytes", length)
		}
		for _, stall := range []bool{false, true} {
			t.Run(fmt.Sprintf("before=%v/stall=%v", before, stall), func(t *testing.T) {
				t.Parallel()
				for at := int64(0); at < length; at += int64(*faultStride) {
					if breakAt(t, before, at, stall); t.Failed() {
						t.Fatalf("broken at byte %d of %d", at, length)
					}
				}
			})
		}
	}
}

// breakAt has a conversation broken at a byte before or behind the hub, and checks what is known after it. It returns the
// length of the conversation there.
func breakAt(t *testing.T, before bool, at int64, stall bool) (length int64) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		network := func(to *autoconfigtest.Server, broken bool) *testkit.Wire {
			w := testkit.NewWire(to)
			if broken {
				w.At, w.Stall = at, stall
			}
			return w
		}
		wire := network(srv, before)
		h := serve(t, &autoconfig.Options{BaseURI: srv.URL, HTTPClient: wire.Client()}, hub.Options{}, true, nil)
		behind := []*testkit.Wire{network(h.server, !before), network(h.server, !before)}
		broken := behind
		if before {
			broken = []*testkit.Wire{wire}
		}
		a := gather(t, h.server.URL, behind[0].Client(), behind[1].Client())
		defer a.leave()
		for _, step := range testkit.Conversation(srv) {
			step()
			testkit.Pass(time.Minute)
		}
		testkit.Pass(5*time.Minute + 2*time.Second)
		srv.Put(srv.Content())
		testkit.Pass(time.Second)
		a.check(t, srv)
		for _, w := range broken {
			length = max(length, w.Bytes())
		}
		synctest.Wait()
	})
	return length
}
