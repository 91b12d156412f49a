package clients

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// A situation is a server, and what a client should make of it.
type situation struct {
	name  string // the row of the table
	serve func(n int, w http.ResponseWriter, r *http.Request)
	raw   func(n int, conn net.Conn, w *witness) // in the place of serve
	body  string                                 // the client is to send
	right func(w *witness) bool                  // whether the client has done what it should
	wrong func(w *witness) bool                  // whether it can't be right any more
}

// A witness saw what a client did.
type witness struct {
	mu       sync.Mutex
	events   []string
	errors   []string
	requests []request
	log      bytes.Buffer
	returned bool
	changed  chan struct{}
}

type request struct {
	at                           time.Time
	from, key, body, lastEventID string
}

func (w *witness) see(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *witness) Write(p []byte) (int, error) {
	w.see(func() { w.log.Write(p) })
	return len(p), nil
}

func (w *witness) shows(text string) bool {
	return strings.Contains(w.log.String(), text) || strings.Contains(strings.Join(w.errors, "\n"), text)
}

func (w *witness) request(r *http.Request) (n int) {
	body, _ := io.ReadAll(r.Body)
	w.see(func() {
		w.requests = append(w.requests, request{time.Now(), r.RemoteAddr, r.Header.Get("X-Api-Key"), string(body), r.Header.Get("Last-Event-ID")})
		n = len(w.requests)
	})
	return n
}

// patience is how long a client may take to be right. None of those that are takes more than two seconds, unless the
// machine is busy, so that a client that is expected not to be right gets three.
func patience(expected bool) time.Duration {
	if expected {
		return time.Minute
	}
	return 3 * time.Second
}

// try lets a client into the situation, and reports whether it did what it should.
func (s *situation) try(c client, patience time.Duration) bool {
	w := &witness{changed: make(chan struct{}, 1)}
	former := log.Writer()
	log.SetOutput(w)
	defer log.SetOutput(former)
	url, closeServer := s.start(w)
	defer closeServer()

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	go func() {
		c.run(ctx, &subscription{
			url: url, http: &http.Client{Transport: transport}, key: planted, body: s.body,
			event: func(data string) { w.see(func() { w.events = append(w.events, data) }) },
			fail:  func(err error) { w.see(func() { w.errors = append(w.errors, err.Error()) }) },
		})
		w.see(func() { w.returned = true })
	}()
	defer cancel()
	for {
		w.mu.Lock()
		right, wrong := s.right(w), s.wrong != nil && s.wrong(w)
		w.mu.Unlock()
		if right || wrong {
			return right
		}
		select {
		case <-w.changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (s *situation) start(w *witness) (url string, stop func()) {
	if s.raw != nil {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go func() {
			for n := 1; ; n++ {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go s.raw(n, conn, w)
			}
		}()
		return "http://" + listener.Addr().String(), func() { _ = listener.Close() }
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		s.serve(w.request(r), rw, r)
	}))
	return server.URL, func() {
		server.CloseClientConnections()
		server.Close()
	}
}

// planted is a key that must not show.
const planted = "sdk-00000000-1111-2222-3333-444444444444"

// open sends the events of a text, and keeps the stream open.
func open(text string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// yields is right if just these events came first.
func yields(events ...string) func(*witness) bool {
	return func(w *witness) bool {
		return len(w.events) >= len(events) && strings.Join(w.events[:len(events)], "|") == strings.Join(events, "|")
	}
}

func returned(w *witness) bool        { return w.returned }
func failed(w *witness) bool          { return len(w.errors) > 0 }
func again(w *witness) bool           { return len(w.requests) > 1 }
func anyEvent(w *witness) bool        { return len(w.events) > 0 }
func hidesKey(w *witness) bool        { return (failed(w) || again(w)) && !w.shows(planted) }
func showsKey(w *witness) bool        { return w.shows(planted) }
func returnedOrShows(w *witness) bool { return w.returned || w.shows(planted) }

// raw answers each connection's first request with a text, and keeps the connection.
func raw(text string) func(int, net.Conn, *witness) {
	return func(_ int, conn net.Conn, w *witness) {
		defer conn.Close()
		if _, err := conn.Read(make([]byte, 4096)); err != nil {
			return
		}
		w.see(func() { w.requests = append(w.requests, request{}) })
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
	}
}

const okHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

func situations() []situation {
	elsewhere := func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			http.Redirect(w, r, strings.Replace("http://"+r.Host+"/there", "127.0.0.1", "localhost", 1), http.StatusFound)
			return
		}
		open("data: a\n\n")(n, w, r)
	}
	return []situation{
		{name: "a block without data dispatches nothing", serve: open("event: x\n\ndata: a\n\n"), right: yields("a"), wrong: anyEvent},
		{name: "lines end with CR, too", serve: open("data: a\rdata: b\r\r:"), right: yields("a\nb"), wrong: anyEvent},
		{name: "an event that ends with CR does not wait for the byte after it", serve: open("data: a\r\r"), right: yields("a"), wrong: anyEvent},
		{name: "a byte order mark is stripped", serve: open("\ufeffdata: a\n\ndata: b\n\n"), right: yields("a", "b"), wrong: anyEvent},
		{name: "one leading space of a value is removed, no more", serve: open("data:  a \n\n"), right: yields(" a "), wrong: anyEvent},
		{name: "an event of 1 MiB arrives", serve: open("data: " + strings.Repeat("x", 1<<20) + "\n\n"), right: anyEvent, wrong: failed},
		{name: "connects again when the server ends the stream", serve: func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: a\n\n")
		}, right: again, wrong: returned},
		{name: "sends the last event ID", serve: func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "id: 7\ndata: a\n\n")
		}, right: func(w *witness) bool { return again(w) && w.requests[1].lastEventID == "7" }, wrong: returnedOrAgain},
		{name: "sends a POST and its body again", body: "hello", serve: func(_ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: a\n\n")
		}, right: func(w *witness) bool {
			return again(w) && w.requests[0].body == "hello" && w.requests[1].body == "hello"
		}, wrong: returnedOrAgain},
		{name: "connects again after 503", serve: func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			open("data: a\n\n")(n, w, r)
		}, right: yields("a"), wrong: returned},
		{name: "waits as long as Retry-After says", serve: func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, right: func(w *witness) bool { return again(w) && w.requests[1].at.Sub(w.requests[0].at) >= time.Second }, wrong: returnedOrAgain},
		{name: "204 ends it, and is reported", serve: func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}, right: func(w *witness) bool { return w.returned && !again(w) && failed(w) }, wrong: again},
		{name: "HTML in the place of a stream is reported", serve: func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			open("<html>\n\n")(1, w, r)
		}, right: failed},
		{name: "a stream that a proxy has compressed arrives", serve: func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, "data: a\n\n")
			_ = z.Flush()
			open("")(n, w, r)
		}, right: yields("a"), wrong: failed},
		{name: "each attempt has a connection of its own", serve: func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, right: func(w *witness) bool { return again(w) && w.requests[0].from != w.requests[1].from }, wrong: returnedOrAgain},
		{name: "a custom key header stays at its origin", serve: elsewhere,
			right: func(w *witness) bool { return again(w) && w.requests[1].key == "" }, wrong: returnedOrAgain},
		{name: "101 is a failed attempt", raw: raw("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), right: again, wrong: returned},
		{name: "a malformed header is not quoted", raw: raw(fmt.Sprintf("HTTP/1.1 200 OK\r\n{%q}\r\n\r\n", planted)), right: hidesKey, wrong: showsKey},
		{name: "a malformed trailer is not quoted", raw: raw(okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\n:\n\r\n0\r\n{" + planted + "}\r\n\r\n"),
			right: hidesKey, wrong: returnedOrShows},
	}
}

func returnedOrAgain(w *witness) bool { return w.returned || again(w) }
