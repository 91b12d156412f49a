package autoconfigtest_test

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

func TestProxyPassesEveryKind(t *testing.T) {
	for name, newServer := range kinds {
		t.Run(name, func(t *testing.T) {
			s := newServer(key)
			defer s.Close()
			p := autoconfigtest.NewProxy(s)
			defer p.Close()
			s.Put(environments(environment("e1", 1)))
			want := wholeBody(t, s)
			response := connect(t, p.Client(), p.URL)
			s.EndConnections()
			if got, err := io.ReadAll(response.Body); string(got) != want || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// exchangeRaw sends a request over a new connection and returns everything that comes back.
func exchangeRaw(t *testing.T, base string) ([]byte, error) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := newRequest(t.Context(), t, base).Write(conn); err != nil {
		t.Fatal(err)
	}
	return io.ReadAll(conn)
}

func TestProxyBreaksAtEachByte(t *testing.T) {
	s := autoconfigtest.NewServer(key)
	defer s.Close()
	p := autoconfigtest.NewProxy(s)
	defer p.Close()
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345"
	raw := autoconfigtest.Handle(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, answer); err != nil {
			t.Error(err)
		}
		// Open until the client leaves, so that only the proxy ends the connection.
		_, _ = io.Copy(io.Discard, conn)
	})
	for _, brk := range []autoconfigtest.Break{autoconfigtest.BreakCut, autoconfigtest.BreakReset, autoconfigtest.BreakHalfClose} {
		for at := range len(answer) + 1 {
			s.Next(raw)
			p.Next(autoconfigtest.Link{Break: brk, At: int64(at)})
			got, err := exchangeRaw(t, p.URL)
			if string(got) != answer[:at] || isReset(err) != (brk == autoconfigtest.BreakReset) || err != nil && !isReset(err) {
				t.Errorf("%v at %d: got %q, %v", brk, at, got, err)
			}
		}
	}
}

func TestProxyStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		p := autoconfigtest.NewProxy(s)
		defer p.Close()
		p.Next(autoconfigtest.Link{Break: autoconfigtest.BreakStall, At: 20})
		transport := p.Client().Transport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = time.Hour
		start := time.Now()
		if response, err := transport.RoundTrip(newRequest(t.Context(), t, p.URL)); err == nil {
			_ = response.Body.Close()
			t.Error("got an answer")
		}
		if waited := time.Since(start); waited != time.Hour {
			t.Errorf("the client gave up after %v", waited)
		}
		// The server has noticed that the client left.
		if err := s.AwaitConnections(t.Context(), 0); err != nil {
			t.Error(err)
		}
	})
}

func TestProxyDelayAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		p := autoconfigtest.NewProxy(s)
		defer p.Close()
		s.Next(autoconfigtest.Chain(autoconfigtest.End(10000), autoconfigtest.HugeEvent(20000)))
		p.Next(autoconfigtest.Link{Delay: time.Hour, Rate: 1000})
		start := time.Now()
		response := connect(t, p.Client(), p.URL)
		if waited := time.Since(start); waited < time.Hour || waited > time.Hour+time.Second {
			t.Errorf("the header came after %v, want the delay and less than a second", waited)
		}
		if _, err := io.ReadAll(response.Body); err != nil {
			t.Error(err)
		}
		// 10,000 bytes of body, and some of header and framing, at 1000 a second.
		if took := time.Since(start) - time.Hour; took < 10*time.Second || took > 11*time.Second {
			t.Errorf("the body took %v", took)
		}
	})
}

func TestProxyCloseWhileBusy(t *testing.T) {
	for name, link := range map[string]autoconfigtest.Link{
		"passing":     {},
		"stalled":     {Break: autoconfigtest.BreakStall},
		"half-closed": {Break: autoconfigtest.BreakHalfClose},
		"delayed":     {Delay: time.Hour},
		"slow":        {Rate: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := autoconfigtest.NewServer(key)
			defer s.Close()
			p := autoconfigtest.NewProxy(s)
			s.Next(autoconfigtest.HugeEvent(64 << 20)) // never read: it fills all buffers
			p.Next(link)
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := newRequest(t.Context(), t, p.URL).Write(conn); err != nil {
				t.Fatal(err)
			}
			if err := s.AwaitRequests(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			p.Close()
			s.Close()
			mustHaveStopped(t)
			p.Close()
			if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
				t.Error(err)
			}
		})
	}
}

func TestProxyOfAClosedServerClosesConnections(t *testing.T) {
	for name, newServer := range kinds {
		s := newServer(key)
		p := autoconfigtest.NewProxy(s)
		s.Close()
		response, err := p.Client().Do(newRequest(t.Context(), t, p.URL))
		if err == nil {
			_ = response.Body.Close()
			t.Errorf("%s: got an answer", name)
		}
		p.Close()
	}
}

// Random links pass on a prefix of what was sent, and the same seed gives the same links.
func TestRandomLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		p := autoconfigtest.NewProxy(s)
		defer p.Close()
		s.Put(environments(environment("e1", 1)))
		want := wholeBody(t, s)
		one, other := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
		breaks := map[autoconfigtest.Break]int{}
		const links = 200
		for range links {
			link := autoconfigtest.RandomLink(one)
			if diff := cmp.Diff(link, autoconfigtest.RandomLink(other)); diff != "" {
				t.Fatalf("the same seed gave another link:\n%s", diff)
			}
			breaks[link.Break]++
			p.Next(link)
		}
		if len(breaks) != 5 {
			t.Errorf("%d links had only these breaks: %v", links, breaks)
		}
		transport := p.Client().Transport.(*http.Transport).Clone()
		transport.DisableKeepAlives = true
		client := &http.Client{Transport: transport, Timeout: time.Minute}
		whole := 0
		for range links + 1 {
			response, err := client.Do(newRequest(t.Context(), t, p.URL))
			if err != nil {
				continue
			}
			got := make([]byte, len(want))
			n, err := io.ReadFull(response.Body, got)
			_ = response.Body.Close()
			if string(got[:n]) != want[:n] || err == nil != (n == len(want)) {
				t.Fatalf("got %q, %v", got[:n], err)
			}
			if err == nil {
				whole++
			}
		}
		// A fifth of the links has no break, and the last connection has no link.
		if whole <= breaks[autoconfigtest.BreakNone] || whole > links {
			t.Errorf("%d connections of %d got through", whole, links+1)
		}
	})
}
