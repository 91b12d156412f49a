package autoconfigtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/relaystream/autoconfig/decode"
)

// A Server serves the auto-configuration stream of one auto-configuration key. The package comment
// states its guarantees.
//
// It answers GET {URL}/relay_auto_config and is strict: it refuses any other path with 404, any
// other method with 405, an Accept header without text/event-stream with 406, a wrong key with 401,
// and a malformed protocol version with 400. It sends filters only to clients that ask for protocol
// version 2 or more.
type Server struct {
	// URL is the base URI, without a trailing slash. It doesn't change.
	URL string

	// authorized holds the key in a closure, where no formatter finds it.
	authorized func(authorization []string) bool
	listener   *restartable
	http       *httptest.Server
	cancel     context.CancelFunc // of the context of all requests
	handlers   sync.WaitGroup
	closeOnce  sync.Once

	mu        sync.Mutex
	closed    bool
	stopped   bool
	changed   chan struct{} // closed when a field below changes; nil while nobody waits
	state     *state
	requests  []*Request
	exchanges map[*exchange]struct{} // requests being answered now
	admitted  int                    // number of requests that have passed the checks
	faults    []Fault                // for the next requests that pass the checks
}

// NewServer starts a server on a free TCP port of 127.0.0.1. Clients must send key as their
// Authorization header. It panics if it cannot listen.
func NewServer(key string) *Server {
	s := newServer(key, listenLoopback())
	s.http.Start()
	s.URL = s.http.URL
	return s
}

// NewTLSServer is NewServer with TLS. It speaks HTTP/1.1, as the others do. [Server.Client] trusts
// its certificate.
func NewTLSServer(key string) *Server {
	s := newServer(key, listenLoopback())
	s.http.StartTLS()
	s.URL = s.http.URL
	return s
}

// NewPipeServer starts a server that only its [Server.Client] can reach: connections are pipes in
// memory. A pipe holds no bytes: a write returns when the other side has read. A fault that resets
// a TCP connection closes a pipe.
//
// In a synctest bubble, create the server and its clients within the bubble.
func NewPipeServer(key string) *Server {
	s := newServer(key, listenMemory())
	s.http.Start()
	s.URL = s.http.URL
	s.http.Client().Transport.(*http.Transport).DialContext = s.listener.dial
	return s
}

func newServer(key string, l listener) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		authorized: func(authorization []string) bool { return len(authorization) == 1 && authorization[0] == key },
		listener:   newRestartable(l),
		cancel:     cancel,
		state:      new(state),
		exchanges:  make(map[*exchange]struct{}),
	}
	s.http = &httptest.Server{Listener: s.listener, Config: &http.Server{
		Handler:     http.HandlerFunc(s.serveHTTP),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withConn,
	}}
	return s
}

// Client returns an HTTP client that reaches the server, trusts its certificate and has no
// timeouts. Close closes its idle connections. All calls return the same client; its Transport is
// an *http.Transport that can be cloned.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Close cuts all connections and stops the server. It returns when everything has stopped.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		s.closed = true
		for x := range s.exchanges {
			s.cut(x, false)
		}
		s.notify()
		s.mu.Unlock()

		s.cancel()
		// Closes connections without an exchange too, such as one with half a request.
		_ = s.http.Config.Close()
		s.http.Close()
		s.handlers.Wait()
	})
}

// Format implements fmt.Formatter. Every verb prints the URL, and nothing secret.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "autoconfigtest.Server(%s)", s.URL) }

// Content returns a copy of what the server serves: for every ID the newest version that was put
// or patched and not deleted since, by the rules that clients follow. Every client that has read
// all messages holds the same, with one exception: only the server remembers a deletion from before
// the client connected, so only the client accepts an older version sent after it. Content is the
// zero value before the first Put.
func (s *Server) Content() decode.PutContent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cloneContent(s.state.content())
}

// Requests returns copies of all requests received so far, refused ones included, in order of
// arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.requests))
	for i, request := range s.requests {
		requests[i] = request.clone()
	}
	return requests
}

// Connections returns the number of open event streams: those whose response header has been
// written to the network, which the server has not ended and whose client is not known to have left.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections()
}
