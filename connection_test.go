package autoconfig_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A refuser is a transport that keeps the request and answers with a status that ends the client.
type refuser struct {
	status  int
	request *http.Request
}

func (r *refuser) RoundTrip(request *http.Request) (*http.Response, error) {
	r.request = request
	return &http.Response{StatusCode: r.status, Body: http.NoBody, Request: request}, nil
}

// requestOf returns the request that a subscription to Observe makes.
func requestOf(t *testing.T, o *autoconfig.Options) *http.Request {
	t.Helper()
	r := refuser{status: http.StatusNoContent}
	o.HTTPClient = &http.Client{Transport: &r}
	_, err := autoconfig.Observe(testkit.Key, o).Count(t.Context())
	if status := (*sse.StatusError)(nil); !errors.As(err, &status) {
		t.Fatal(err)
	}
	return r.request
}

func TestURL(t *testing.T) {
	for _, test := range []struct{ base, want string }{
		{"", "https://stream.launchdarkly.com/relay_auto_config?rpacProtocolVersion=2"},
		{autoconfig.DefaultBaseURI, "https://stream.launchdarkly.com/relay_auto_config?rpacProtocolVersion=2"},
		{"https://example.com/", "https://example.com/relay_auto_config?rpacProtocolVersion=2"},
		{"https://example.com:8443/base", "https://example.com:8443/base/relay_auto_config?rpacProtocolVersion=2"},
		{"https://example.com/base/", "https://example.com/base/relay_auto_config?rpacProtocolVersion=2"},
		{"https://example.com/a%2Fb/", "https://example.com/a%2Fb/relay_auto_config?rpacProtocolVersion=2"}, // one segment
		{"https://example.com/base/?b=2&a=%31", "https://example.com/base/relay_auto_config?b=2&a=%31&rpacProtocolVersion=2"},
		{"https://example.com?a=1#fragment", "https://example.com/relay_auto_config?a=1&rpacProtocolVersion=2"},
		{"http://127.0.0.1:80", "http://127.0.0.1:80/relay_auto_config?rpacProtocolVersion=2"},
		{"http://[::1]", "http://[::1]/relay_auto_config?rpacProtocolVersion=2"},
	} {
		if got := requestOf(t, &autoconfig.Options{BaseURI: test.base}).URL.String(); got != test.want {
			t.Errorf("base %q: got %s, want %s", test.base, got, test.want)
		}
	}
}

// TestProtocolVersion checks that version 2 is the default, that version 1 is not in the query, and that the
// classic constructor asks for filters only if its handler takes them.
func TestProtocolVersion(t *testing.T) {
	modern := func(version int) string {
		return requestOf(t, &autoconfig.Options{BaseURI: "https://example.com?a=1", ProtocolVersion: version}).URL.RawQuery
	}
	classic := func(handler autoconfig.MessageHandler) string {
		r := refuser{status: http.StatusUnauthorized}
		m := autoconfig.NewStreamManager(testkit.Key, "https://example.com?a=1", handler, httpConfig{&http.Client{Transport: &r}},
			0, ldlog.NewDisabledLoggers())
		defer m.Close()
		<-m.Start()
		return r.request.URL.RawQuery
	}
	type withoutFilters struct{ autoconfig.MessageHandler }
	got := []string{
		modern(0), modern(autoconfig.DefaultProtocolVersion), modern(2), modern(1),
		classic(recorder{}), classic(withoutFilters{recorder{}}),
	}
	const with, without = "a=1&rpacProtocolVersion=2", "a=1"
	testkit.Expect(t, "queries", got, with, with, with, without, with, without)
}

func TestHeaders(t *testing.T) {
	for _, test := range []struct{ option, want string }{
		{"", "relaystream-autoconfig"}, {"Relay/9", "Relay/9"},
	} {
		r := requestOf(t, &autoconfig.Options{UserAgent: test.option})
		if r.Method != http.MethodGet || r.Body != nil {
			t.Errorf("%s with body %v", r.Method, r.Body)
		}
		for name, want := range map[string]string{
			"Authorization": testkit.Key, // bare
			"Accept":        "text/event-stream",
			"Cache-Control": "no-cache",
			"User-Agent":    test.want,
			"Last-Event-ID": "",
		} {
			if got := strings.Join(r.Header.Values(name), "|"); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestLastEventIDIsCarriedOver(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Next(
			body("id: 41\n\nid: 42\nevent: put\ndata: "+emptyPut+"\n\n"),
			autoconfigtest.Status(503), // does not forget
			body("id\n\n"),             // forgets
		)
		testkit.Open(t, testkit.To(srv))
		if err := srv.AwaitRequests(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range srv.Requests() {
			ids = append(ids, r.Header.Get("Last-Event-ID"))
		}
		testkit.Expect(t, "IDs sent", ids, "", "42", "42", "")
	})
}

// TestRotatedKeyRecoversByItself checks that Options.Key is asked before each attempt.
func TestRotatedKeyRecoversByItself(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		key := autoconfig.AutoConfigKey("rel-outdated")
		o := testkit.To(srv)
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return key, nil }
		c := testkit.Open(t, o)
		testkit.Pass(time.Hour)
		if s := c.Stats().Status; s.State != autoconfig.Initializing || s.Code != http.StatusUnauthorized {
			t.Errorf("status with the wrong key: %+v", s)
		}
		key = testkit.Key
		testkit.Pass(time.Until(c.Stats().Status.NextAttempt))
		if s := c.Stats().Status; s.State != autoconfig.Valid {
			t.Errorf("status with the right key: %+v", s)
		}
	})
}

// TestCallersClientIsLeftAlone checks that Open copies Options.HTTPClient: it does not modify the caller's,
// ignores its Timeout, and does not see what the caller changes later. The race detector runs it, too.
func TestCallersClientIsLeftAlone(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		o := testkit.To(srv)
		caller := &http.Client{Transport: o.HTTPClient.Transport, Timeout: time.Second}
		o.HTTPClient = caller
		c := testkit.Open(t, o)
		o.BaseURI, o.HTTPClient = "", nil
		own := http.Client{Timeout: 1, Transport: http.NewFileTransport(http.Dir("."))}
		*caller = own
		for range 10 {
			testkit.Pass(time.Minute)
			srv.Heartbeat()
		}
		if s := c.Stats(); s.Attempts != 1 || s.Status.State != autoconfig.Valid {
			t.Errorf("after ten minutes: %+v", s)
		}
		srv.EndConnections()
		testkit.Pass(time.Minute)
		if s := c.Stats(); s.Attempts != 2 || s.Status.State != autoconfig.Valid {
			t.Errorf("after another connection: %+v", s)
		}
		if caller.Timeout != own.Timeout || caller.CheckRedirect != nil || caller.Jar != nil || caller.Transport != own.Transport {
			t.Errorf("the caller's client was modified: %+v", caller)
		}
	})
}

// TestTimeouts checks the options and documented defaults of the timeouts for connecting and for silence.
func TestTimeouts(t *testing.T) {
	for _, test := range []struct {
		name            string
		connect, idle   time.Duration // options
		afterConnecting time.Duration
		afterSilence    time.Duration
	}{
		{"default", 0, 0, 10 * time.Second, 5 * time.Minute},
		{"options", 3 * time.Second, 4 * time.Minute, 3 * time.Second, 4 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				srv.Put(testkit.Listing())
				srv.Next(autoconfigtest.Hang())
				o := testkit.To(srv)
				o.ConnectTimeout, o.IdleTimeout = test.connect, test.idle
				c, statuses, attempts := observed(t, o)
				expectTimeout := func(after time.Duration, want error) {
					began := (*attempts)[len(*attempts)-1]
					testkit.Pass(after - time.Nanosecond)
					if n := c.Stats().TimedOut; n != uint64(len(*attempts)-1) {
						t.Errorf("it timed out before %v had passed", after)
					}
					testkit.Pass(time.Nanosecond)
					all := statuses.Take()
					if last := all[len(all)-1]; !errors.Is(last.Err, want) || last.At.Sub(began) != after {
						t.Errorf("%v after %v, want %v after %v", last.Err, last.At.Sub(began), want, after)
					}
					testkit.Pass(time.Until(c.Stats().Status.NextAttempt))
				}
				expectTimeout(test.afterConnecting, sse.ErrConnectTimeout)
				expectTimeout(test.afterSilence, sse.ErrIdle)
			})
		})
	}
}

// TestPlainHTTPWhereItIsAllowed checks that AllowPlainHTTP permits plain http to another host.
func TestPlainHTTPWhereItIsAllowed(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		o := testkit.To(srv) // its transport reaches the server under any name
		o.BaseURI, o.AllowPlainHTTP = "http://stream.example.com", true
		c := testkit.Open(t, o)
		synctest.Wait()
		if s := c.Stats().Status; s.State != autoconfig.Valid {
			t.Errorf("%+v", s)
		}
	})
}

// TestRealNetwork connects over TLS, and with the default HTTP client.
func TestRealNetwork(t *testing.T) {
	for name, newServer := range map[string]func(string) *autoconfigtest.Server{
		"default client": autoconfigtest.NewServer, "TLS": autoconfigtest.NewTLSServer,
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(testkit.Key)
			defer srv.Close()
			srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
			o := testkit.To(srv)
			if name != "TLS" {
				o.HTTPClient = nil
			}
			got := testkit.Watch(autoconfig.Observe(testkit.Key, o))
			defer got.Stop()
			testkit.Expect(t, "changes", testkit.Describe(got.Await(t, 2)), "environment added: e1 (Project Env e1) version 1", "synced")
		})
	}
}
