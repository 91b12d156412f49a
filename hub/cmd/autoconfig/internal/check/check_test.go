package check

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A setting changes the options of a check, or the server, before the check begins.
type setting func(o *autoconfig.Options, s *autoconfigtest.Server)

func fault(f autoconfigtest.Fault) setting {
	return func(_ *autoconfig.Options, s *autoconfigtest.Server) { s.Next(f) }
}

func status(code int) setting { return fault(autoconfigtest.Status(code)) }

func base(uri string) setting {
	return func(o *autoconfig.Options, _ *autoconfigtest.Server) { o.BaseURI = uri }
}

func key(key autoconfig.AutoConfigKey) setting {
	return func(o *autoconfig.Options, _ *autoconfigtest.Server) {
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return key, nil }
	}
}

// transport lets change alter the transport of the command.
func transport(uri string, change func(*http.Transport, *autoconfigtest.Server)) setting {
	return func(o *autoconfig.Options, s *autoconfigtest.Server) {
		own := newTransport()
		change(own, s)
		o.BaseURI, o.HTTPClient = uri, &http.Client{Transport: own}
	}
}

func dialFails(err error) setting {
	return transport("https://service.invalid", func(own *http.Transport, _ *autoconfigtest.Server) {
		own.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	})
}

func proxy(address string) setting {
	return transport("https://service.invalid", func(own *http.Transport, _ *autoconfigtest.Server) {
		own.Proxy = http.ProxyURL(&url.URL{Scheme: "http", User: url.UserPassword("user", "password"), Host: address})
	})
}

// withoutAnchor is an environment whose set of keys lacks the current one.
func withoutAnchor() autoconfig.EnvironmentRep {
	e := testkit.Environment("e2", 1)
	e.SDKKeys = []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{{Key: "other", Value: "sdk-other"}}
	return e
}

// closedAddress returns an address on the loopback interface that takes no connection.
func closedAddress() string {
	s := autoconfigtest.NewServer(testkit.Key)
	defer s.Close()
	return strings.TrimPrefix(s.URL, "http://")
}

func settings(refusingProxy string) map[string]struct {
	setting
	want Finding
} {
	type row = struct {
		setting
		want Finding
	}
	return map[string]row{
		"healthy":       {nil, Healthy},
		"wrong key":     {key("rel-other-0000-1234"), RejectedKey},
		"403":           {status(403), RejectedKey},
		"404":           {status(404), NotFound},
		"204":           {status(204), SentAway},
		"429":           {status(429), Overloaded},
		"503":           {status(503), Overloaded},
		"500":           {status(500), OtherStatus},
		"web page":      {fault(autoconfigtest.Answer(200, http.Header{"Content-Type": {"text/html"}}, "<html>")), NotAStream},
		"coding":        {fault(autoconfigtest.Header("Content-Encoding", "br")), NotAStream},
		"malformed":     {fault(autoconfigtest.Malformed()), Malformed},
		"ended":         {fault(autoconfigtest.End(10)), Lost},
		"cut":           {fault(autoconfigtest.Cut(10)), Lost},
		"redirect":      {fault(autoconfigtest.Redirect("http://other.invalid")), PlainHTTP},
		"plain http":    {base("http://other.invalid"), PlainHTTP},
		"not a URI":     {base("stream"), WrongURI},
		"invalid key":   {key("not\nvalid"), UnusableKey},
		"no such host":  {dialFails(&net.DNSError{IsNotFound: true}), UnknownName},
		"failed lookup": {dialFails(&net.DNSError{IsTimeout: true}), LookupFailed},
		"closed port":   {base("https://" + closedAddress()), ConnectionFailed},
		"closed proxy":  {proxy(closedAddress()), ProxyFailed},
		"proxy's 407":   {proxy(refusingProxy), ProxyFailed},
		"broken item": {func(_ *autoconfig.Options, s *autoconfigtest.Server) {
			s.Put(testkit.Listing(withoutAnchor()))
		}, Refused},
		"no TLS": {func(o *autoconfig.Options, s *autoconfigtest.Server) {
			o.BaseURI = strings.Replace(s.URL, "http:", "https:", 1)
		}, NoTLS},
	}
}

// run checks a server that serves one environment under the setting.
func run(t *testing.T, set setting, server *autoconfigtest.Server, o *autoconfig.Options) Result {
	t.Helper()
	server.Put(testkit.Listing(testkit.Environment("e1", 1)))
	o.Logger = testkit.Censored(t)
	key(testkit.Key)(o, server)
	if set != nil {
		set(o, server)
	}
	result := Check(t.Context(), o, time.Minute)
	for _, secret := range []string{testkit.Key, "rel-other", "sdk-", "password"} {
		if text := result.String(); strings.Contains(text, secret) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	return result
}

func TestFindings(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer refusing.Close()
	for name, test := range settings(strings.TrimPrefix(refusing.URL, "http://")) {
		t.Run(name, func(t *testing.T) {
			server := autoconfigtest.NewServer(testkit.Key)
			defer server.Close()
			if r := run(t, test.setting, server, &autoconfig.Options{BaseURI: server.URL}); r.Finding != test.want {
				t.Errorf("finding %d, want %d: %v", r.Finding, test.want, r)
			} else if is[*proxyError](r.Err) && !strings.Contains(r.String(), "407") {
				t.Errorf("it does not say the proxy's status: %v", r)
			}
		})
	}
}

func TestFindingsOfTLS(t *testing.T) {
	server := autoconfigtest.NewTLSServer(testkit.Key)
	defer server.Close()
	dialed := func(uri string, now time.Time) setting {
		return transport(uri, func(own *http.Transport, s *autoconfigtest.Server) {
			own.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
			own.TLSClientConfig.Time = func() time.Time { return now }
			own.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(s.URL, "https://"))
			}
		})
	}
	for name, test := range map[string]struct {
		setting
		want Finding
	}{
		"trusted":    {dialed("https://example.com", time.Now()), Healthy},
		"untrusted":  {nil, UntrustedTLS},
		"wrong name": {dialed("https://service.invalid", time.Now()), WrongNameTLS},
		"expired":    {dialed("https://example.com", time.Now().AddDate(200, 0, 0)), InvalidTLS},
	} {
		t.Run(name, func(t *testing.T) {
			if r := run(t, test.setting, server, &autoconfig.Options{BaseURI: server.URL}); r.Finding != test.want {
				t.Errorf("finding %d, want %d: %v", r.Finding, test.want, r)
			}
		})
	}
}

// TestTimeout lets everything take exactly as long as it may, in virtual time.
func TestTimeout(t *testing.T) {
	for name, test := range map[string]struct {
		fault autoconfigtest.Fault
		want  Finding
	}{
		"no response": {autoconfigtest.Hang(), Silent},
		"no put":      {autoconfigtest.Stall(0), NoPut},
		"half a put":  {autoconfigtest.Stall(20), NoPut},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.InBubble(t, func(t *testing.T, server *autoconfigtest.Server) {
				start := time.Now()
				r := run(t, fault(test.fault), server, testkit.To(server))
				if took := time.Since(start); r.Finding != test.want || took != time.Minute || r.Took != took {
					t.Errorf("finding %d after %v, want %d: %v", r.Finding, took, test.want, r)
				}
			})
		})
	}
}

func TestInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := autoconfigtest.NewPipeServer(testkit.Key)
		defer server.Close()
		server.Next(autoconfigtest.Hang())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		o := testkit.To(server)
		o.Logger = testkit.Censored(t)
		key(testkit.Key)(o, server)
		if r := Check(ctx, o, time.Minute); r.Finding != Interrupted || r.Took != time.Second {
			t.Errorf("finding %d: %v", r.Finding, r)
		}
	})
}

// TestEveryFindingHasSentences looks for a finding that says nothing, or does not say what can be done.
func TestEveryFindingHasSentences(t *testing.T) {
	if len(sentences) != int(OtherFailure)+1 {
		t.Fatalf("%d of %d findings have sentences", len(sentences), OtherFailure+1)
	}
	for finding, s := range sentences {
		idle := Finding(finding) == Healthy || Finding(finding) == Interrupted
		if s.what == "" || s.advice == "" && !idle {
			t.Errorf("finding %d says %q %q", finding, s.what, s.advice)
		}
		r := Result{Finding: Finding(finding), Address: "service.example", Proxy: "proxy.example", Code: 404, Took: time.Second}
		if text := r.String(); strings.ContainsAny(text, "{}") {
			t.Errorf("a word is not filled in: %s", text)
		}
	}
}

func TestCommand(t *testing.T) {
	server := autoconfigtest.NewServer(testkit.Key)
	defer server.Close()
	server.Put(testkit.Listing(testkit.Environment("e1", 1)))
	for name, test := range map[string]struct {
		args        []string
		environment map[string]string
		want        int
	}{
		"healthy":        {[]string{"-stream-uri", server.URL}, map[string]string{cli.KeyVariable: testkit.Key}, cli.Done},
		"by environment": {nil, map[string]string{cli.KeyVariable: testkit.Key, "AUTOCONFIG_STREAM_URI": server.URL}, cli.Done},
		"wrong key":      {[]string{"-stream-uri", server.URL}, map[string]string{cli.KeyVariable: "other"}, cli.Failure},
		"no key":         {[]string{"-stream-uri", server.URL}, nil, cli.Failure},
		"no time":        {[]string{"-timeout", "0s"}, map[string]string{cli.KeyVariable: testkit.Key}, cli.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			var out, log bytes.Buffer
			getenv := func(name string) string { return test.environment[name] }
			if got := Run(t.Context(), &cli.Process{Args: test.args, Getenv: getenv, Stdout: &out, Stderr: &log}); got != test.want {
				t.Errorf("status %d, want %d: %s%s", got, test.want, &out, &log)
			}
			if (out.Len() > 0) != (test.want != cli.Usage) {
				t.Errorf("it says %q", &out)
			}
		})
	}
}
