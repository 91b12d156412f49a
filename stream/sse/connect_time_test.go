package sse

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const okHeader = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

// pipeTransport makes connections that are pipes to serve, on goroutines counted by servers.
func pipeTransport(servers *sync.WaitGroup, serve func(net.Conn)) *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		servers.Go(func() {
			defer server.Close()
			serve(server)
		})
		return client, nil
	}}
}

// pipeClient is a client of pipes, which are gone when the test ends.
func pipeClient(t *testing.T, serve func(net.Conn)) *http.Client {
	var servers sync.WaitGroup
	transport := pipeTransport(&servers, serve)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		servers.Wait()
	})
	return &http.Client{Transport: transport}
}

// answering returns a server that reads one request, writes each text after a pause of the same
// index, and is then silent until the client goes.
func answering(texts []string, pauses ...time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		for i, text := range texts {
			if i < len(pauses) {
				time.Sleep(pauses[i])
			}
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}
}

func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func requestTo(url string) func(context.Context) (*http.Request, error) {
	return func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	}
}

// A stall is a server that falls silent, and what is to come of it without options.
type stall struct {
	name   string
	url    string
	client func(*testing.T) *http.Client
	after  time.Duration
	want   error // nil: a *StatusError
}

func stalls() []stall {
	serving := func(serve func(net.Conn)) func(*testing.T) *http.Client {
		return func(t *testing.T) *http.Client { return pipeClient(t, serve) }
	}
	const http, https = "http://127.0.0.1/", "https://127.0.0.1/"
	return []stall{
		{"dial", http, stalledDial, 10 * time.Second, ErrConnectTimeout},
		{"TLS handshake", https, serving(silent), 10 * time.Second, ErrConnectTimeout},
		{"response header", http, serving(silent), 10 * time.Second, ErrConnectTimeout},
		{"middle of the header", http, serving(answering([]string{okHeader[:30]})), 10 * time.Second, ErrConnectTimeout},
		{"HTTP/2 settings", http, silent2(func(net.Conn) {}), 10 * time.Second, ErrConnectTimeout},
		{"HTTP/2 response header", http, silent2(func(conn net.Conn) { acceptHTTP2(conn) }), 10 * time.Second, ErrConnectTimeout},
		{"HTTP/2 stream", http, silent2(func(conn net.Conn) {
			c := acceptHTTP2(conn)
			c.open(c.request(), ":\n")
		}), 5 * time.Minute, ErrIdle},
		{"body of a redirect", http, serving(answering([]string{
			"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9\r\n\r\n", "x"}, 0, 8*time.Second)), 10 * time.Second, ErrConnectTimeout},
		// The header comes after 8 s, and the body has 10 s of its own.
		{"body of an error", http, serving(answering([]string{
			"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\n", "d", "r", "i", "p"},
			8*time.Second, 6*time.Second, 3*time.Second, 3*time.Second)), 18 * time.Second, nil},
		{"stream", http, serving(answering([]string{okHeader})), 5 * time.Minute, ErrIdle},
		{"event", http, serving(answering([]string{okHeader, "data: x\n"}, 0, 2*time.Minute)), 7 * time.Minute, ErrIdle},
	}
}

// silent2 returns a client of HTTP/2 whose server falls silent after begin.
func silent2(begin func(net.Conn)) func(*testing.T) *http.Client {
	return func(t *testing.T) *http.Client {
		client := pipeClient(t, func(conn net.Conn) {
			begin(conn)
			_, _ = io.Copy(io.Discard, conn)
		})
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		client.Transport.(*http.Transport).Protocols = protocols
		return client
	}
}

func stalledDial(t *testing.T) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// A name may have an address that does not answer. A dialer must know how much time there is to try the others.
func TestDialersKnowTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			dials++
			if at, ok := ctx.Deadline(); !ok || time.Until(at) != time.Second {
				t.Errorf("the deadline is %v, %t", at, ok)
			}
			return nil, errors.New("refused")
		}
		for url, transport := range map[string]*http.Transport{
			"http://host/": {DialContext: dial}, "https://host/": {DialContext: dial}, "https://host/tls": {DialTLSContext: dial},
			"https://host/proxied": {DialContext: dial, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy"})},
		} {
			o := &ConnectOptions{Client: &http.Client{Transport: transport}, ConnectTimeout: time.Second}
			_ = Connect(requestTo(url), o)(t.Context(), unexpected(t))
		}
		if dials != 4 {
			t.Errorf("%d dials", dials)
		}
	})
}

func TestTimeouts(t *testing.T) {
	for _, s := range stalls() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				err := Connect(requestTo(s.url), &ConnectOptions{Client: s.client(t)})(t.Context(), unexpected(t))
				if took := time.Since(start); took != s.after {
					t.Errorf("it took %v, want %v", took, s.after)
				}
				var status *StatusError
				switch {
				case s.want == nil && errors.As(err, &status):
					if status.Code != 503 || string(status.Body) != "dr" {
						t.Errorf("status %d, body %q", status.Code, status.Body)
					}
				case s.want == nil || !errors.Is(err, s.want):
					t.Errorf("got %v, want %v", err, s.want)
				}
			})
		})
	}
}

func TestCancelInEveryPhase(t *testing.T) {
	cause := errors.New("cause")
	for _, s := range stalls() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(s.after-time.Nanosecond, func() { cancel(cause) })
				start := time.Now()
				// The request of a careless caller does not carry the context.
				newRequest := func(context.Context) (*http.Request, error) { return http.NewRequest("GET", s.url, nil) }
				err := Connect(newRequest, &ConnectOptions{Client: s.client(t)})(ctx, unexpected(t))
				if took := time.Since(start); err != cause || took != s.after-time.Nanosecond {
					t.Errorf("got %v after %v", err, took)
				}
			})
		})
	}
}

func unexpected(t *testing.T) func(Event) bool {
	return func(e Event) bool {
		t.Errorf("unexpected event %v", e)
		return true
	}
}

// Every phase just within its time is within the time, and a redirect has as many again.
func TestEachPhaseHasItsOwnTime(t *testing.T) {
	certificate := selfSigned(t)
	synctest.Test(t, func(t *testing.T) {
		const pause = defaultConnectTimeout - time.Nanosecond
		answers := make(chan string, 2)
		answers <- "HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
		answers <- okHeader + "data: x\n\n"
		client := pipeClient(t, func(conn net.Conn) {
			time.Sleep(pause)
			answering([]string{<-answers}, pause)(tls.Server(conn, &tls.Config{Certificates: certificate}))
		})
		transport := client.Transport.(*http.Transport)
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.Sleep(pause)
			return dial(ctx, network, addr)
		}
		n := 0
		err := Connect(requestTo("https://127.0.0.1/"), &ConnectOptions{Client: client})(t.Context(), func(Event) bool {
			n++
			return false
		})
		if err != nil || n != 1 {
			t.Errorf("%d events, %v", n, err)
		}
	})
}

// selfSigned returns the certificate of a test server, made outside of any bubble.
func selfSigned(t *testing.T) []tls.Certificate {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return server.TLS.Certificates
}

func TestIdleTimeoutIsForSilence(t *testing.T) {
	run := func(t *testing.T, texts []string, pauses []time.Duration, yield func(Event) bool) (time.Duration, error) {
		start := time.Now()
		client := pipeClient(t, answering(texts, pauses...))
		err := Connect(requestTo("http://127.0.0.1/"), &ConnectOptions{Client: client})(t.Context(), yield)
		return time.Since(start), err
	}
	t.Run("comments break it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			took, err := run(t, []string{okHeader, ":", "h", "b", "\n"},
				[]time.Duration{0, 4 * time.Minute, 4 * time.Minute, 4 * time.Minute, 4 * time.Minute}, unexpected(t))
			if !errors.Is(err, ErrIdle) || took != 21*time.Minute {
				t.Errorf("%v after %v", err, took)
			}
		})
	})
	t.Run("a slow consumer does not cause it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			took, err := run(t, []string{okHeader, "data: x\n\n", "data: y\n\n"}, nil, func(Event) bool {
				n++
				time.Sleep(time.Hour)
				return true
			})
			if !errors.Is(err, ErrIdle) || n != 2 || took != 2*time.Hour+5*time.Minute {
				t.Errorf("%v after %d events and %v", err, n, took)
			}
		})
	})
}

// A transport may report phases of a dial that it began for a request and finishes for another.
func TestPhaseTimerStaysStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phase := startPhaseTimer(time.Second, func() { t.Error("it went off") })
		phase.stop()
		phase.restart(dialing)
		time.Sleep(time.Hour)
	})
}
