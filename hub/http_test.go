package hub_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// offline returns a hub whose client has a configuration of n environments and no service.
func offline(t testing.TB, o hub.Options, n int) *hub.Hub {
	t.Helper()
	listing := &decode.Listing{}
	for i := range n {
		e := testkit.Environment(autoconfig.EnvironmentID(fmt.Sprint("e", i)), 1)
		listing.Environments = append(listing.Environments, decode.EnvironmentEntry{ID: e.EnvID, Version: 1, Rep: &e})
	}
	source := stream.Concat(stream.Just(decode.Message{Kind: decode.Put, Put: listing}), stream.Never[decode.Message]())
	client := testkit.Open(t, &autoconfig.Options{Source: source})
	if o.Keys == nil {
		o.Keys = []autoconfig.AutoConfigKey{testkit.Key}
	}
	if o.Logger == nil {
		o.Logger = testkit.Censored(t)
	}
	h, err := hub.New(client, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestRequestsAreCheckedAsByTheTestServer, which is strict.
func TestRequestsAreCheckedAsByTheTestServer(t *testing.T) {
	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	h := offline(t, hub.Options{Keys: []autoconfig.AutoConfigKey{"rel-old", testkit.Key}}, 0)
	front := httptest.NewServer(h)
	defer front.Close()
	for name, change := range map[string]func(r *http.Request){
		"right":                func(*http.Request) {},
		"version 7":            func(r *http.Request) { r.URL.RawQuery = "rpacProtocolVersion=7" },
		"malformed version":    func(r *http.Request) { r.URL.RawQuery = "rpacProtocolVersion=two" },
		"path":                 func(r *http.Request) { r.URL.Path += "/" },
		"method":               func(r *http.Request) { r.Method = http.MethodPost },
		"HEAD":                 func(r *http.Request) { r.Method = http.MethodHead },
		"Accept":               func(r *http.Request) { r.Header.Set("Accept", "text/html") },
		"no key":               func(r *http.Request) { r.Header.Del("Authorization") },
		"wrong key":            func(r *http.Request) { r.Header.Set("Authorization", testkit.Key+"x") },
		"key with a scheme":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testkit.Key) },
		"two keys, both right": func(r *http.Request) { r.Header.Add("Authorization", testkit.Key) },
	} {
		var statuses, allows [2]any
		for i, base := range []string{srv.URL, front.URL} {
			r, err := request(base, "")(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "text/event-stream")
			change(r)
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			statuses[i] = response.StatusCode
			if response.StatusCode == http.StatusMethodNotAllowed {
				allows[i] = response.Header.Get("Allow")
			}
		}
		if statuses[0] != statuses[1] || allows[0] != allows[1] {
			t.Errorf("%s: the server says %v %v, the hub %v %v", name, statuses[0], allows[0], statuses[1], allows[1])
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for path, want := range map[string]int{"/base/relay_auto_config": http.StatusOK, "/relay_auto_config/x": http.StatusNotFound} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+path, nil)
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Authorization", "rel-old")
		response, err := front.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	if s := h.Stats(); s.Refused != (hub.Refused{Unauthorized: 4, Malformed: 6}) || s.Served != 3 {
		t.Errorf("%+v", s)
	}
}

// TestReadersAreDescribed, with the beginning of what they say of themselves.
func TestReadersAreDescribed(t *testing.T) {
	h := offline(t, hub.Options{}, 1)
	front := httptest.NewServer(h)
	defer front.Close()
	r, err := request(front.URL, "?rpacProtocolVersion=2")(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("User-Agent", strings.Repeat("x", 1000))
	before := time.Now()
	response, err := front.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	readers := h.Readers()
	if len(readers) != 1 || readers[0].UserAgent != strings.Repeat("x", 100) || readers[0].ProtocolVersion != 2 ||
		!strings.HasPrefix(readers[0].Address, "127.0.0.1:") || readers[0].Since.Before(before) {
		t.Errorf("%+v", readers)
	}
}

// TestIncapableResponseWriter is an error of the server.
func TestIncapableResponseWriter(t *testing.T) {
	h := offline(t, hub.Options{}, 1)
	r := httptest.NewRequest(http.MethodGet, "/relay_auto_config", nil)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", testkit.Key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if s := h.Stats(); w.Code != http.StatusInternalServerError || s.Refused.Failed != 1 || s.Readers != 0 {
		t.Error(w.Code, s)
	}
}

// TestNewcomersDuringABurst get a put and every version after it, in one order.
func TestNewcomersDuringABurst(t *testing.T) {
	const environments, versions, newcomers = 5, 200, 20
	srv := autoconfigtest.NewServer(testkit.Key)
	defer srv.Close()
	first := testkit.Listing()
	for i := range environments {
		id := autoconfig.EnvironmentID(fmt.Sprint("e", i))
		first.Environments[id] = testkit.Environment(id, 1)
	}
	srv.Put(first)
	client := testkit.Open(t, testkit.To(srv))
	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t)})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(h)
	defer front.Close()
	defer h.Close()
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var following sync.WaitGroup
	for version := 2; version <= versions; version++ {
		for id := range first.Environments {
			srv.Patch(testkit.Environment(id, version))
		}
		if version%(versions/newcomers) == 0 {
			following.Go(func() { followStrictly(ctx, t, front.URL, environments, versions) })
		}
	}
	following.Wait()
}

// followStrictly reads until every environment has its last version, and fails the test if one is skipped or repeated.
func followStrictly(ctx context.Context, t *testing.T, url string, environments, last int) {
	versions := map[autoconfig.EnvironmentID]int{}
	complete := 0
	_ = sse.Connect(request(url, ""), nil)(ctx, func(e sse.Event) bool {
		var m struct {
			Data struct {
				autoconfig.PutContent
				autoconfig.EnvironmentRep
			}
		}
		if err := json.Unmarshal(e.Data, &m); err != nil {
			t.Error(err)
			return false
		}
		if (e.Type == "put") != (len(versions) == 0) {
			t.Errorf("a %s after %d environments", e.Type, len(versions))
			return false
		}
		for id, rep := range m.Data.Environments {
			versions[id] = rep.Version
		}
		if patched := m.Data.EnvironmentRep; e.Type == "patch" {
			if patched.Version != versions[patched.EnvID]+1 {
				t.Errorf("version %d follows %d", patched.Version, versions[patched.EnvID])
				return false
			}
			versions[patched.EnvID]++
		}
		complete = 0
		for _, version := range versions {
			if version == last {
				complete++
			}
		}
		return complete < environments
	})
	if complete < environments {
		t.Errorf("it ended with %v: %v", versions, context.Cause(ctx))
	}
}

// TestReaderLeavesAtAnyByte of the response: nothing is left of it, and others are served.
func TestReaderLeavesAtAnyByte(t *testing.T) {
	bothWays(t, hub.Options{}, func(t *testing.T, srv *autoconfigtest.Server, h *front) {
		srv.Put(testkit.Listing(testkit.Environment("a", 1)))
		synctest.Wait()
		length := 1
		for at := 0; at < length; at++ {
			conn := h.neverRead(t)
			if at > 0 {
				if _, err := io.ReadFull(conn, make([]byte, at)); err != nil {
					t.Fatal(at, err)
				}
			} else { // how long it is
				whole := bufio.NewReader(conn)
				for line := ""; !strings.HasPrefix(line, "data:"); length += len(line) {
					line, _ = whole.ReadString('\n')
				}
			}
			_ = conn.Close()
			synctest.Wait()
			if n := len(h.Readers()); n != 0 {
				t.Fatalf("%d readers are left after %d bytes", n, at)
			}
		}
		if s := h.Stats(); length < 400 || s.TimedOut+s.Lagging != 0 || s.Served != uint64(length) {
			t.Errorf("%d bytes, %+v", length, s)
		}
	})
}

// TestReaderSendsMore than a request: it is ignored.
func TestReaderSendsMore(t *testing.T) {
	h := offline(t, hub.Options{}, 1)
	front := httptest.NewServer(h)
	defer front.Close()
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	one := "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\nAuthorization: " + testkit.Key + "\r\n\r\n"
	if _, err := io.WriteString(conn, strings.Repeat(one, 3)+strings.Repeat("x", 100_000)); err != nil {
		t.Fatal(err)
	}
	response := bufio.NewReader(conn)
	for line := ""; !strings.HasPrefix(line, "data:"); {
		if line, err = response.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if s := h.Stats(); s.Served != 1 || s.Readers != 1 {
		t.Errorf("%+v", s)
	}
}

// TestServersTimeoutsAreLifted from the stream, and bound the header: a slow loris has the time of ReadHeaderTimeout.
func TestServersTimeouts(t *testing.T) {
	for name, taken := range map[string]bool{"taken over": true, "net/http": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := offline(t, hub.Options{}, 1)
				handler := http.Handler(h)
				if !taken {
					handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						h.ServeHTTP(struct {
							http.ResponseWriter
							unwrapper
						}{w, unwrapper{w}}, r)
					})
				}
				accepted := make(chan net.Conn)
				server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ReadTimeout: 20 * time.Second,
					WriteTimeout: 20 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
				go func() { _ = server.Serve(pipes(accepted)) }()
				defer server.Close()
				defer h.Close()

				loris, far := net.Pipe()
				accepted <- far
				_, _ = io.WriteString(loris, "GET /relay_auto_config HTTP/1.1\r\n")
				begun := time.Now()
				for i := 0; ; i++ {
					if _, err := fmt.Fprintf(loris, "X-%d: y\r\n", i); err != nil {
						break
					}
					time.Sleep(time.Second)
				}
				if took := time.Since(begun); took > 11*time.Second {
					t.Errorf("it took %v to be rid of it", took)
				}

				near, far := net.Pipe()
				defer near.Close()
				accepted <- far
				_, _ = fmt.Fprintf(near, "GET /relay_auto_config HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\nAuthorization: %s\r\n\r\n", testkit.Key)
				comments := 0
				for lines := bufio.NewReader(near); comments < 10; {
					line, err := lines.ReadString('\n')
					if err != nil {
						t.Fatal(comments, err)
					}
					if line == ":\n" {
						comments++
					}
				}
			})
		})
	}
}

type unwrapper struct{ w http.ResponseWriter }

func (u unwrapper) Unwrap() http.ResponseWriter { return u.w }

// pipes is a listener that accepts what it is sent.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestHTTP2: a reader that reads gets its stream, also when the deadline of a write is past, and one that does not is cut off.
func TestHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := offline(t, hub.Options{}, 1000) // more than the client takes unread
		accepted := make(chan net.Conn)
		server := &http.Server{Handler: h, Protocols: new(http.Protocols)}
		server.Protocols.SetUnencryptedHTTP2(true)
		go func() { _ = server.Serve(pipes(accepted)) }()
		defer server.Close()
		defer h.Close()
		window := &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}
		transport := &http.Transport{Protocols: server.Protocols, HTTP2: window, DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			accepted <- far
			return near, nil
		}}
		defer transport.CloseIdleConnections()
		begin := func() *http.Response {
			r, err := request("http://hub", "")(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "text/event-stream")
			response, err := transport.RoundTrip(r)
			if err != nil || response.ProtoMajor != 2 {
				t.Fatal(response, err)
			}
			return response
		}
		stuck, reads := begin(), begin()
		defer stuck.Body.Close()
		defer reads.Body.Close()
		comments := 0
		for lines := bufio.NewReader(reads.Body); comments < 10; {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(comments, err)
			}
			if line == ":\n" {
				comments++
			}
		}
		if s := h.Stats(); s.Readers != 1 || s.Served != 2 || s.TimedOut != 1 {
			t.Errorf("%+v", s)
		}
	})
}
