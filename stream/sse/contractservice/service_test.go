package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The connections of callbacks are kept alive by the default client.
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { http.DefaultClient.CloseIdleConnections() }))
}

// A harness does what the contract tests do: it talks to the service, plays the server of the streams, and gets
// the callbacks.
type harness struct {
	*testing.T
	service     string
	connections chan *connection
	messages    chan message
	callbacks   atomic.Int32
	server      *httptest.Server
}

// A connection is a request for a stream, which is open until a test breaks it.
type connection struct {
	*http.Request
	body   string
	send   chan string
	broken chan struct{}
}

func newHarness(t *testing.T) *harness {
	service := newService()
	server := httptest.NewServer(service)
	h := &harness{T: t, service: server.URL, connections: make(chan *connection, 10), messages: make(chan message, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", h.stream)
	mux.HandleFunc("/status/{code}", h.status)
	mux.HandleFunc("POST /callback/{n}", h.callback)
	h.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		service.close()
		server.Close()
		h.server.Close()
	})
	return h
}

func (h *harness) stream(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c := &connection{Request: r, body: string(body), send: make(chan string), broken: make(chan struct{})}
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	if !h.came(c) {
		return
	}
	for {
		select {
		case text := <-c.send:
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
		case <-c.broken:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (h *harness) status(w http.ResponseWriter, r *http.Request) {
	code, _ := strconv.Atoi(r.PathValue("code"))
	w.WriteHeader(code)
	h.came(&connection{Request: r})
}

// came passes on a connection, unless that is given up before anybody asks for it.
func (h *harness) came(c *connection) bool {
	select {
	case h.connections <- c:
		return true
	case <-c.Context().Done():
		return false
	}
}

func (h *harness) callback(w http.ResponseWriter, r *http.Request) {
	want := strconv.Itoa(int(h.callbacks.Add(1))) // one comes after the other has been answered
	if n := r.PathValue("n"); n != want {
		h.Errorf("callback %s has the number %s", want, n)
	}
	var m message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		h.Error(err)
	}
	h.messages <- m
}

// do sends a request to the service and checks the status.
func (h *harness) do(method, path, body string, want int) *http.Response {
	h.Helper()
	req, _ := http.NewRequest(method, h.service+path, bytes.NewBufferString(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		h.Errorf("%s %s: status %d, want %d", method, path, resp.StatusCode, want)
	}
	return resp
}

// open creates a stream and returns its path.
func (h *harness) open(p params) string {
	h.Helper()
	if p.StreamURL == "" {
		p.StreamURL = h.server.URL + "/stream"
	}
	p.CallbackURL = h.server.URL + "/callback"
	body, _ := json.Marshal(p)
	location := h.do("POST", "/", string(body), http.StatusCreated).Header.Get("Location")
	if path.Dir(location) != "/streams" {
		h.Errorf("the location is %q", location)
	}
	return location
}

func (h *harness) expect(want ...message) {
	h.Helper()
	for _, w := range want {
		got := <-h.messages
		if got.Kind != w.Kind || got.Comment != w.Comment || w.Event != nil && (got.Event == nil || *got.Event != *w.Event) {
			h.Errorf("got %+v, want %+v", got, w)
		}
		if got.Kind == "error" && got.Error == "" {
			h.Error("an error without a text")
		}
	}
}

func data(id, text string) message {
	return message{Kind: "event", Event: &event{Type: "message", Data: text, ID: id}}
}

var (
	failed = message{Kind: "error"}
	atOnce = 0
)

func TestDescription(t *testing.T) {
	h := newHarness(t)
	resp, err := http.Get(h.service)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var description struct{ Capabilities []string }
	if err := json.NewDecoder(resp.Body).Decode(&description); err != nil || !slices.Equal(description.Capabilities, capabilities) {
		t.Errorf("%v, %v", description, err)
	}
}

func TestEventsAndComments(t *testing.T) {
	h := newHarness(t)
	location := h.open(params{Tag: "events"})
	c := <-h.connections
	if c.Method != "GET" || c.Header.Get("Accept") != "text/event-stream" || c.Header.Get("Cache-Control") != "no-cache" || c.Header["Last-Event-Id"] != nil {
		t.Errorf("%s with %v", c.Method, c.Header)
	}
	h.do("POST", location, `{"command":"listen","listen":{"type":"greeting"}}`, http.StatusAccepted)
	c.send <- "\ufeff:Hello\n"
	h.expect(message{Kind: "comment", Comment: "Hello"}) // before the block ends
	c.send <- "data: a\n\nid: 1\nevent: greeting\ndata: b\r\ndata: c\r\n\r\n:World\n"
	h.expect(data("", "a"), message{Kind: "event", Event: &event{Type: "greeting", Data: "b\nc", ID: "1"}}, message{Kind: "comment", Comment: "World"})
	h.do("DELETE", location, "", http.StatusNoContent)
	<-c.Context().Done() // the connection is gone
	h.do("DELETE", location, "", http.StatusNotFound)
}

func TestRequests(t *testing.T) {
	for _, method := range []string{"POST", "REPORT"} {
		h := newHarness(t)
		h.open(params{Method: method, Body: `{"hello":"world"}`, LastEventID: "abc", InitialDelayMS: &atOnce,
			Headers: map[string]string{"content-type": "application/json; charset=utf-8", "header-name-1": "value-1"}})
		for range 2 { // the second connection repeats the request
			c := <-h.connections
			if c.Method != method || c.body != `{"hello":"world"}` || c.Header.Get("Last-Event-ID") != "abc" ||
				c.Header.Get("Content-Type") != "application/json; charset=utf-8" || c.Header.Get("Header-Name-1") != "value-1" {
				t.Errorf("%s with %v, %q", c.Method, c.Header, c.body)
			}
			close(c.broken)
		}
	}
}

func TestReconnection(t *testing.T) {
	h := newHarness(t)
	h.open(params{InitialDelayMS: &atOnce})
	c := <-h.connections
	c.send <- "id: abc\ndata: Hello\n\nid: def\ndata: unfinished\n"
	h.expect(data("abc", "Hello"))
	close(c.broken)
	c = <-h.connections
	h.expect(failed)
	if id := c.Header.Get("Last-Event-ID"); id != "abc" {
		t.Errorf("the last event ID is %q", id)
	}
	c.send <- "id:\ndata: again\n\n"
	h.expect(data("", "again"))
	close(c.broken)
	if c = <-h.connections; c.Header["Last-Event-Id"] != nil {
		t.Errorf("the last event ID is %q", c.Header["Last-Event-Id"])
	}
}

func TestRestart(t *testing.T) {
	h := newHarness(t)
	location := h.open(params{})
	(<-h.connections).send <- "data: Hello\n\n"
	h.expect(data("", "Hello"))
	h.do("POST", location, `{"command":"restart"}`, http.StatusAccepted)
	(<-h.connections).send <- "data: Thanks\n\n"
	h.expect(data("", "Thanks")) // and no error before
}

func TestReadTimeout(t *testing.T) {
	h := newHarness(t)
	timeout := 10
	h.open(params{InitialDelayMS: &atOnce, ReadTimeoutMS: &timeout})
	<-h.connections
	h.expect(failed)
	<-h.connections
}

func TestStatuses(t *testing.T) {
	for code, more := range map[string]bool{"204": false, "301": true, "307": true} {
		h := newHarness(t)
		h.open(params{InitialDelayMS: &atOnce, StreamURL: h.server.URL + "/status/" + code})
		<-h.connections
		h.expect(failed)
		if more { // the first retry is immediate
			<-h.connections
		} else if len(h.connections) > 0 {
			t.Error("it connected again after 204")
		}
	}
}

func TestWrongRequests(t *testing.T) {
	h := newHarness(t)
	for _, body := range []string{"", "{", `[]`, `{"streamUrl":1}`, `{"streamUrl":"http://a.example/"}`, `{"callbackUrl":"http://a.example/"}`} {
		h.do("POST", "/", body, http.StatusBadRequest)
	}
	location := h.open(params{})
	h.do("POST", location, `{"command":"dance"}`, http.StatusBadRequest)
	h.do("POST", location, `dance`, http.StatusBadRequest)
	h.do("POST", "/streams/99", `{"command":"restart"}`, http.StatusNotFound)
	h.do("POST", "/streams/x", `{"command":"restart"}`, http.StatusNotFound)
}

func TestQuit(t *testing.T) {
	service := newService()
	server := httptest.NewServer(service)
	defer server.Close()
	h := &harness{T: t, service: server.URL}
	h.do("DELETE", "/", "", http.StatusNoContent)
	h.do("DELETE", "/", "", http.StatusNoContent)
	<-service.stopped
	service.close()
	h.do("POST", "/", `{"streamUrl":"http://127.0.0.1:1","callbackUrl":"http://127.0.0.1:1"}`, http.StatusServiceUnavailable)
}
