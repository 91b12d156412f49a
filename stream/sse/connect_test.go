package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

const secret = "rel-0123456789abcdef"

// serve starts a server of events on loopback.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// writeStream writes events in answer to a request, and ends the response.
func writeStream(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
}

// keyed makes requests that carry the secret.
func keyed(url string) func(context.Context) (*http.Request, error) {
	return func(ctx context.Context) (*http.Request, error) {
		req, err := requestTo(url)(ctx)
		if err == nil {
			req.Header.Set("Authorization", secret)
			req.Header.Set("Cookie", "session="+secret)
			req.Header.Set("X-Api-Key", secret)
		}
		return req, err
	}
}

// collect subscribes and returns the data of the events, and the error.
func collect(t *testing.T, newRequest func(context.Context) (*http.Request, error), o *ConnectOptions) (data []string, err error) {
	t.Helper()
	err = Connect(newRequest, o)(t.Context(), func(e Event) bool {
		data = append(data, string(e.Data))
		return true
	})
	return data, err
}

func TestConnectHeaders(t *testing.T) {
	var got http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		writeStream(w, "id: 7\nretry: 5\ndata: x\n\n")
	})
	same, _ := http.NewRequest("GET", server.URL, nil)
	var session Session
	connection := Connect(func(context.Context) (*http.Request, error) { return same, nil }, &ConnectOptions{Session: &session})
	for _, id := range []string{"", "7"} { // the second connection continues the first
		err := connection(t.Context(), func(Event) bool { return true })
		if !errors.Is(err, ErrEndOfStream) {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-cache", "Last-Event-ID": id,
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, got.Get(name), want)
			}
		}
	}
	if retry, ok := session.Retry(); !ok || retry != 5*time.Millisecond || session.LastEventID != "7" {
		t.Errorf("the session has %v, %v, %q", retry, ok, session.LastEventID)
	}
	if len(same.Header) > 0 {
		t.Errorf("the caller's request was modified: %v", same.Header)
	}
}

// An ID that no header can carry must not keep the client from connecting ever again.
func TestLastEventIDThatCannotBeSent(t *testing.T) {
	for id, sent := range map[string]bool{
		"\x01": false, "a\x7f": false, strings.Repeat("x", maxSentID+1): false,
		strings.Repeat("x", maxSentID): true, "tab\tand é": true, "\xff": true,
	} {
		var got []string
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Values("Last-Event-ID")
			writeStream(w, "data: x\n\n")
		})
		data, err := collect(t, requestTo(server.URL), &ConnectOptions{Session: &Session{LastEventID: id}})
		if len(data) != 1 || slices.Equal(got, []string{id}) != sent || !sent && got != nil {
			t.Errorf("%.10q: %d events, %v; the server got %.10q", id, len(data), err, got)
		}
	}
}

func TestStatuses(t *testing.T) {
	for _, code := range []int{201, 204, 301, 304, 401, 403, 500, 503, 599} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.WriteHeader(code)
			if code != 204 && code != 304 {
				_, _ = io.WriteString(w, r.Header.Get("Authorization")+strings.Repeat("x", 100<<10))
			}
		})
		_, err := collect(t, keyed(server.URL+"?key="+secret), nil)
		var status *StatusError
		if !errors.As(err, &status) || status.Code != code || status.Header.Get("Retry-After") != "7" {
			t.Errorf("%d: got %#v", code, err)
			continue
		}
		if n := len(status.Body); code > 400 && n != 4<<10 {
			t.Errorf("%d: %d bytes of the body", code, n)
		}
		hides(t, err)
	}
}

// A meter counts what is read of it.
type meter struct {
	io.Reader
	n int
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += n
	return n, err
}

func (*meter) Close() error { return nil }

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusBadGateway, Body: m, Request: req}, nil
}

func TestErrorBodyLimit(t *testing.T) {
	for _, test := range []struct{ length, want int }{{10, 10}, {4 << 10, 4 << 10}, {4<<10 + 1, 4 << 10}} {
		m := &meter{Reader: strings.NewReader(strings.Repeat("x", test.length))}
		_, err := collect(t, requestTo("https://a.example/"), &ConnectOptions{Client: &http.Client{Transport: m}})
		var status *StatusError
		if !errors.As(err, &status) || len(status.Body) != test.want || m.n != test.want {
			t.Errorf("%+v: %v; %d bytes were read", test, err, m.n)
		}
	}
}

// hides checks that no form of an error shows the secret.
func hides(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err); strings.Contains(text, secret) {
			t.Errorf("the secret shows in %s", text)
		}
	}
}

func TestContentTypes(t *testing.T) {
	for contentType, ok := range map[string]bool{
		"text/event-stream": true, "text/event-stream; charset=utf-8": true, "Text/Event-Stream;x": true,
		"text/event-stream; a=1; a=2": true,
		"text/html":                   false, "": false, "text/event-stream2": false, "application/json; x=text/event-stream": false,
	} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{contentType}
			_, _ = io.WriteString(w, "data: x\n\n")
		})
		data, err := collect(t, requestTo(server.URL), nil)
		var wrong *ContentTypeError
		switch {
		case ok && (len(data) != 1 || !errors.Is(err, ErrEndOfStream)):
			t.Errorf("%q: %v, %v", contentType, data, err)
		case !ok && (len(data) > 0 || !errors.As(err, &wrong) || wrong.ContentType != strings.TrimSuffix(contentType, "; x=text/event-stream")):
			t.Errorf("%q: %v, %v", contentType, data, err)
		}
	}
}

func TestBrokenStreams(t *testing.T) {
	abort := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		writeStream(w, "data: x\n\ndata: y\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	if data, err := collect(t, requestTo(abort.URL), nil); len(data) != 1 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken off: %q, %v", data, err)
	}
	large := serve(t, func(w http.ResponseWriter, _ *http.Request) { writeStream(w, "data: x\n\ndata: too much\n\n") })
	if data, err := collect(t, requestTo(large.URL), &ConnectOptions{MaxEventSize: 10}); len(data) != 1 || !errors.Is(err, ErrEventTooLarge) {
		t.Errorf("too large: %q, %v", data, err)
	}
	gone := serve(t, nil)
	gone.Close()
	var network *net.OpError
	_, err := collect(t, keyed(strings.Replace(gone.URL, "http://", "http://"+secret+"@", 1)+"?key="+secret), nil)
	if !errors.As(err, &network) {
		t.Errorf("no server: %v", err)
	}
	hides(t, err)
	echo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://[::1/"+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusFound)
	})
	if _, err = collect(t, keyed(echo.URL), nil); err == nil {
		t.Error("no error of a location that is no URL")
	}
	if text := fmt.Sprint(err); strings.Contains(text, secret) {
		t.Errorf("the secret shows in %s", text)
	}
	repeated := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/"+r.Header.Get("Authorization"))
	})
	_, err = collect(t, keyed(repeated.URL), nil)
	if wrong := (*ContentTypeError)(nil); !errors.As(err, &wrong) {
		t.Errorf("the wrong content type: %v", err)
	}
	hides(t, err)
}

func TestInvalidOptions(t *testing.T) {
	newRequest := func(context.Context) (*http.Request, error) {
		t.Error("a request was made")
		return nil, io.EOF
	}
	for _, o := range []ConnectOptions{{ConnectTimeout: -1}, {IdleTimeout: -1}, {MaxEventSize: -1}} {
		if _, err := collect(t, newRequest, &o); !errors.Is(err, ErrInvalidOption) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestErrorOfNewRequest(t *testing.T) {
	broken := errors.New("no key")
	_, err := collect(t, func(context.Context) (*http.Request, error) { return nil, broken }, nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	err = Connect(func(ctx context.Context) (*http.Request, error) {
		cancel(broken)
		return nil, ctx.Err()
	}, nil)(ctx, unexpected(t))
	if err != broken {
		t.Errorf("cancelled meanwhile: got %v", err)
	}
}

func TestNilArgumentsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"Connect":         func() { Connect(nil, nil) },
		"Subscribe":       func() { Subscribe(nil, nil) },
		"FromEventSource": func() { FromEventSource(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took nil", name)
				}
			}()
			f()
		}()
	}
}

func TestHooks(t *testing.T) {
	const body = ": hello\n\ndata: x\n\n"
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Test", "1")
		writeStream(w, body)
	})
	var calls []string
	read := 0
	err := Connect(requestTo(server.URL), &ConnectOptions{
		OnOpen: func(r *http.Response) { calls = append(calls, "open "+r.Header.Get("X-Test")) },
		OnRead: func(n int) { read += n },
	})(t.Context(), func(e Event) bool {
		calls = append(calls, "event "+string(e.Data))
		return true
	})
	if want := []string{"open 1", "event x"}; !slices.Equal(calls, want) || read != len(body) {
		t.Errorf("%q and %d bytes, %v", calls, read, err)
	}
}

// The caller's client is used as it is, but for its Timeout, and stays as it is.
func TestCallersClient(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusFound)
			return
		}
		writeStream(w, "data: x\n\n")
	})
	asked := 0
	client := &http.Client{
		Timeout:       time.Nanosecond,
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { asked++; return nil },
	}
	defer client.CloseIdleConnections()
	before := *client
	data, err := collect(t, requestTo(server.URL), &ConnectOptions{Client: client})
	if len(data) != 1 || asked != 1 {
		t.Errorf("%q, %v; its CheckRedirect was asked %d times", data, err, asked)
	}
	if client.Timeout != before.Timeout || client.Transport != before.Transport {
		t.Error("the client was modified")
	}
	if client.CheckRedirect(nil, nil); asked != 2 {
		t.Error("its CheckRedirect was replaced")
	}
}

// With the default client, no connection is left when Connect has returned: neither one in the
// middle of a stream nor one that could be used again.
func TestDefaultClientLeavesNothing(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"stopped in a stream": func(w http.ResponseWriter, r *http.Request) {
			writeStream(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan struct{})
			server := httptest.NewUnstartedServer(answer)
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateClosed {
					close(closed)
				}
			}
			server.Start()
			defer server.Close()
			_ = Connect(requestTo(server.URL), nil)(t.Context(), func(Event) bool { return false })
			<-closed
		})
	}
}

// A dial that nobody waits for is given up, too.
func TestDefaultClientGivesUpHandshake(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("cause")
	closed := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			closed <- err
			return
		}
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1)) // the client's side of the handshake has begun
		cancel(cause)
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		closed <- err
	}()
	err = Connect(requestTo("https://"+listener.Addr().String()), nil)(ctx, unexpected(t))
	if err != cause {
		t.Errorf("got %v", err)
	}
	if err := <-closed; err != nil {
		t.Log(err) // reset instead of closed: gone all the same
	}
}
