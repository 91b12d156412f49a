package hub_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A writer is a ResponseWriter that forgets what it is given but the status.
type writer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }
func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
func (w *writer) Flush()                           { w.WriteHeader(http.StatusOK) }
func (w *writer) SetReadDeadline(time.Time) error  { return nil }
func (w *writer) SetWriteDeadline(time.Time) error { return nil }

// FuzzRequest: only who sends a key gets the stream, whatever else a request says, and nobody gets back what he has sent.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/relay_auto_config", "rpacProtocolVersion=2", "text/event-stream", testkit.Key, "", "Relay/8", "127.0.0.1:1")
	f.Add("GET", "/x/relay_auto_config", "rpacProtocolVersion=2;x=%", "*/*, text/event-stream;q=0.1", "rel-wrong", testkit.Key, "", "[::1%eth0]:1")
	f.Add("POST", "", "=&rpacProtocolVersion=-1&rpacProtocolVersion", "text/event-stream;;", "", "", "\x00", "@")
	h := offline(f, hub.Options{MaxReadersPerAddress: 1}, 1)
	f.Fuzz(func(t *testing.T, method, path, query, accept, key, second, agent, address string) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := (&http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, RemoteAddr: address, ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Accept": {accept}, "Authorization": {key}, "User-Agent": {agent}}}).WithContext(ctx)
		if second != "" {
			r.Header.Add("Authorization", second)
		}
		w := &writer{header: http.Header{}}
		h.ServeHTTP(w, r)
		right := method == http.MethodGet && strings.HasSuffix(path, "/relay_auto_config") && key == testkit.Key && second == "" &&
			strings.Contains(strings.ToLower(accept), "text/event-stream")
		switch w.status {
		case 0, http.StatusOK: // 0 if it had left before the header was written
			if !right {
				t.Errorf("%s %q ?%q %q %q: served", method, path, query, accept, key)
			}
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusUnauthorized, http.StatusBadRequest:
			if want := http.StatusText(w.status) + "\n"; w.body.String() != want {
				t.Errorf("%q", w.body.String())
			}
		default:
			t.Errorf("status %d", w.status)
		}
		if n := len(h.Readers()); n != 0 {
			t.Errorf("%d readers are left", n)
		}
	})
}
