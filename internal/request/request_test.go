package request_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/relaystream/autoconfig/internal/request"
)

// TestCheck: each row is right but for what its comment says.
func TestCheck(t *testing.T) {
	const right, events = "rel-key", "text/event-stream"
	for _, test := range []struct {
		method, query  string
		accept, keys   []string
		version, wrong int
	}{
		{"GET", "", []string{events}, []string{right}, 1, 0},
		{"GET", "rpacProtocolVersion=2", []string{events}, []string{right}, 2, 0},
		{"GET", "x=%zz&rpacProtocolVersion=7", []string{events}, []string{right}, 7, 0},                                     // a later one, after what is no query
		{"GET", "", []string{"text/html, text/event-stream;q=0.5"}, []string{right}, 1, 0},                                  // one of several
		{"GET", "", []string{"text/html", "Text/Event-Stream"}, []string{right}, 1, 0},                                      // in another line and case
		{"POST", "rpacProtocolVersion=x", nil, nil, 0, http.StatusMethodNotAllowed},                                         // everything is wrong
		{"HEAD", "", []string{events}, []string{right}, 0, http.StatusMethodNotAllowed},                                     // would be a stream without an end
		{"GET", "rpacProtocolVersion=x", nil, nil, 0, http.StatusNotAcceptable},                                             // no Accept, and more
		{"GET", "", []string{"*/*"}, []string{right}, 0, http.StatusNotAcceptable},                                          // a browser
		{"GET", "rpacProtocolVersion=x", []string{events}, nil, 0, http.StatusUnauthorized},                                 // no key, and more
		{"GET", "", []string{events}, []string{right, right}, 0, http.StatusUnauthorized},                                   // two keys
		{"GET", "rpacProtocolVersion=0", []string{events}, []string{right}, 0, http.StatusBadRequest},                       // not positive
		{"GET", "rpacProtocolVersion=", []string{events}, []string{right}, 0, http.StatusBadRequest},                        // no number
		{"GET", "rpacProtocolVersion=2&rpacProtocolVersion=2", []string{events}, []string{right}, 0, http.StatusBadRequest}, // twice
		{"GET", "rpacProtocolVersion=99999999999999999999", []string{events}, []string{right}, 0, http.StatusBadRequest},    // too large
	} {
		r := &http.Request{Method: test.method, URL: &url.URL{RawQuery: test.query}, Header: http.Header{"Accept": test.accept, "Authorization": test.keys}}
		version, status := request.Check(r, func(keys []string) bool { return len(keys) == 1 && keys[0] == right })
		if status != test.wrong || status == 0 && version != test.version {
			t.Errorf("%s ?%s %v %v: version %d, status %d", test.method, test.query, test.accept, test.keys, version, status)
		}
	}
}
