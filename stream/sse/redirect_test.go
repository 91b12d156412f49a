package sse

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A network answers requests by URL, with a redirect or a stream, and keeps them.
type network struct {
	redirects map[string]string
	requests  []*http.Request
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.requests = append(n.requests, req)
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader("data: x\n\n"))}
	resp.Header.Set("Content-Type", "text/event-stream")
	if to, ok := n.redirects[req.URL.String()]; ok {
		resp.StatusCode = http.StatusTemporaryRedirect
		resp.Header.Set("Location", to)
	}
	return resp, nil
}

func TestCredentialsStayAtTheirOrigin(t *testing.T) {
	for name, test := range map[string]struct {
		hops []string
		keys []bool // which request carries the key
	}{
		"same origin":          {[]string{"https://a.example/1", "https://a.example/2", "https://a.example:443/3"}, []bool{true, true, true}},
		"another host":         {[]string{"https://a.example/", "https://b.example/"}, []bool{true, false}},
		"a subdomain":          {[]string{"https://a.example/", "https://sub.a.example/"}, []bool{true, false}},
		"another port":         {[]string{"https://127.0.0.1:1/", "https://127.0.0.1:2/"}, []bool{true, false}},
		"from https to http":   {[]string{"https://localhost/", "http://localhost/"}, []bool{true, false}},
		"the same port":        {[]string{"https://localhost:80/", "http://localhost:80/"}, []bool{true, false}},
		"there and back":       {[]string{"https://a.example/", "https://b.example/", "https://a.example/2"}, []bool{true, false, false}},
		"there, on, and back":  {[]string{"https://a.example/", "https://b.example/", "https://b.example/2", "https://a.example/2"}, []bool{true, false, false, false}},
		"same origin and away": {[]string{"https://a.example/", "https://a.example/2", "https://b.example/"}, []bool{true, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &network{redirects: make(map[string]string)}
			for i, hop := range test.hops[1:] {
				n.redirects[test.hops[i]] = hop
			}
			data, err := collect(t, keyed(test.hops[0]), &ConnectOptions{Client: &http.Client{Transport: n}})
			if len(data) != 1 || len(n.requests) != len(test.hops) {
				t.Fatalf("%d events after %d requests, %v", len(data), len(n.requests), err)
			}
			for i, req := range n.requests {
				for _, name := range []string{"Authorization", "Cookie", "X-Api-Key"} {
					if carries := req.Header.Get(name) != ""; carries != test.keys[i] {
						t.Errorf("request %d to %s: %s is there: %v", i, req.URL, name, carries)
					}
				}
				if referer := req.Header.Get("Referer"); referer != "" && !test.keys[i] {
					t.Errorf("request %d to %s: it tells of %s", i, req.URL, referer)
				}
			}
		})
	}
}

// The same over real connections, where the client is ours.
func TestKeyDoesNotArriveElsewhere(t *testing.T) {
	var origin, other http.Header
	elsewhere := serve(t, nil)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
			return
		}
		origin = r.Header
		writeStream(w, "data: x\n\n")
	})
	elsewhere.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		other = r.Header
		http.Redirect(w, r, server.URL+"/back", http.StatusFound)
	})
	data, err := collect(t, keyed(server.URL), nil)
	if len(data) != 1 {
		t.Fatal(err)
	}
	for _, header := range []http.Header{other, origin} {
		if header.Get("Accept") == "" || header.Get("Authorization") != "" || header.Get("Cookie") != "" {
			t.Errorf("after the redirect: %v", header)
		}
	}
}

func TestRedirectLimit(t *testing.T) {
	for _, test := range []struct {
		option, redirects int
		ok                bool
	}{{0, 10, true}, {0, 11, false}, {1, 1, true}, {1, 2, false}, {20, 20, true}, {-1, 0, true}, {-1, 1, false}} {
		requests := 0
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if requests++; requests <= test.redirects {
				http.Redirect(w, r, "/", http.StatusFound)
				return
			}
			writeStream(w, "data: x\n\n")
		})
		data, err := collect(t, requestTo(server.URL), &ConnectOptions{MaxRedirects: test.option})
		var status *StatusError
		switch {
		case test.ok && len(data) != 1:
			t.Errorf("%+v: %v", test, err)
		case !test.ok && (!errors.As(err, &status) || status.Code != http.StatusFound || requests != test.redirects):
			t.Errorf("%+v: %v after %d requests", test, err, requests)
		}
	}
}

func TestRefusalOfTheCallersCheckRedirect(t *testing.T) {
	refusal := errors.New("no")
	n := &network{redirects: map[string]string{"https://a.example/": "https://a.example/2"}}
	client := &http.Client{Transport: n, CheckRedirect: func(*http.Request, []*http.Request) error { return refusal }}
	if _, err := collect(t, requestTo("https://a.example/"), &ConnectOptions{Client: client}); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
}

func TestPlainHTTP(t *testing.T) {
	for host, loopback := range map[string]bool{"localhost": true, "[::1]:80": true, "a.example": false, "10.0.0.1:80": false} {
		t.Run(host, func(t *testing.T) {
			start := "http://" + host + "/"
			for _, redirects := range []map[string]string{nil, {"https://a.example/": start}} {
				n := &network{redirects: redirects}
				first := start
				if redirects != nil {
					first = "https://a.example/"
				}
				_, err := collect(t, requestTo(first), &ConnectOptions{Client: &http.Client{Transport: n}, RefusePlainHTTP: true})
				if refused := errors.Is(err, ErrPlainHTTP); refused == loopback {
					t.Errorf("from %s: %v", first, err)
				}
				if !loopback && len(n.requests) != len(redirects) {
					t.Errorf("from %s: %d requests were sent", first, len(n.requests))
				}
				_, err = collect(t, requestTo(first), &ConnectOptions{Client: &http.Client{Transport: n}})
				if !errors.Is(err, ErrEndOfStream) {
					t.Errorf("from %s, allowed: %v", first, err)
				}
			}
		})
	}
}
