package admin_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/admin"
	"github.com/relaystream/autoconfig/hub/page"
	"github.com/relaystream/autoconfig/internal/testkit"
)

const goodToken = admin.Token("correct-horse-battery")

// open returns the handler of a hub whose client has a configuration, and the client.
func open(t testing.TB, o *admin.Options) (*admin.Admin, *autoconfig.Client, *autoconfigtest.Server) {
	t.Helper()
	service := autoconfigtest.NewServer(testkit.Key)
	t.Cleanup(service.Close)
	client := testkit.Open(t, testkit.To(service))
	return of(t, client, o), client, service
}

// of returns the handler of a hub of the client.
func of(t testing.TB, client *autoconfig.Client, o *admin.Options) *admin.Admin {
	t.Helper()
	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	a, err := admin.New(client, h, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// at is a request that arrived at an address.
func at(address, method, target string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, target, body)
	local := &net.TCPAddr{IP: net.ParseIP(address), Port: 8030}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
}

func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestWhoMayLook(t *testing.T) {
	const loopback, network = "127.0.0.1", "10.1.2.3"
	bearer := http.Header{"Authorization": {"Bearer " + string(goodToken)}}
	for _, row := range []struct {
		why     string
		options admin.Options
		address string
		host    string
		header  http.Header
		want    int
	}{
		{"loopback", admin.Options{}, loopback, "localhost:8030", nil, 200},
		{"loopback, by address", admin.Options{}, loopback, "127.0.0.1:8030", nil, 200},
		{"loopback, IPv6", admin.Options{}, "::1", "[::1]:8030", nil, 200},
		{"loopback, without a port", admin.Options{}, "::1", "LOCALHOST", nil, 200},
		{"loopback, by any address", admin.Options{}, loopback, "0.0.0.0:8030", nil, 200},
		{"loopback, by an address of the network", admin.Options{}, loopback, "10.1.2.3:8030", nil, 421},
		{"loopback, by an IPv6 address of the network", admin.Options{}, "::1", "[2001:db8::1]:8030", nil, 421},
		{"loopback, under a name that leads to it", admin.Options{}, loopback, "evil.example:8030", nil, 421},
		{"loopback, under a name that looks like localhost", admin.Options{}, loopback, "localhost.evil.example", nil, 421},
		{"loopback, without a host", admin.Options{}, loopback, "", nil, 421},
		{"loopback, under a configured name", admin.Options{Hosts: []string{"hub.example"}}, loopback, "hub.example:8030", nil, 200},
		{"loopback, through a proxy", admin.Options{}, loopback, "localhost", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 403},
		{"loopback, through a proxy by the standard", admin.Options{}, loopback, "localhost", http.Header{"Forwarded": {"for=127.0.0.1"}}, 403},
		{"loopback, through a proxy that tells the name", admin.Options{}, loopback, "localhost", http.Header{"X-Forwarded-Host": {"localhost"}}, 403},
		{"loopback, through a proxy that ends TLS", admin.Options{}, loopback, "localhost", http.Header{"X-Forwarded-Proto": {"https"}}, 403},
		{"loopback, through nginx", admin.Options{}, loopback, "localhost", http.Header{"X-Real-Ip": {"127.0.0.1"}}, 403},
		{"loopback, through a proxy that only says so", admin.Options{}, loopback, "localhost", http.Header{"Via": {"1.1 proxy"}}, 403},
		{"loopback, own address", admin.Options{Anyone: true}, loopback, "evil.example", nil, 421},

		{"network", admin.Options{}, network, "10.1.2.3:8030", nil, 403},
		{"network, claims to be local", admin.Options{}, network, "localhost", http.Header{"X-Forwarded-For": {"127.0.0.1"}}, 403},
		{"network, a token where none is set", admin.Options{}, network, "10.1.2.3", bearer, 403},
		{"network, own address", admin.Options{Anyone: true}, network, "hub.example:9090", nil, 200},
		{"no address", admin.Options{}, "", "localhost", nil, 403},

		{"token, network", admin.Options{Token: goodToken}, network, "hub.example", bearer, 200},
		{"token, not given", admin.Options{Token: goodToken}, network, "hub.example", nil, 401},
		{"token, loopback too", admin.Options{Token: goodToken}, loopback, "localhost", nil, 401},
		{"token, own address too", admin.Options{Token: goodToken, Anyone: true}, network, "hub.example", nil, 401},
		{"token, through a proxy", admin.Options{Token: goodToken}, loopback, "hub.example", http.Header{
			"X-Forwarded-For": {"10.0.0.1"}, "Authorization": {"bearer " + string(goodToken)},
		}, 200},
		{"token, wrong", admin.Options{Token: goodToken}, loopback, "localhost", http.Header{"Authorization": {"Bearer " + string(goodToken) + "x"}}, 401},
		{"token, shorter", admin.Options{Token: goodToken}, loopback, "localhost", http.Header{"Authorization": {"Bearer " + string(goodToken[:20])}}, 401},
		{"token, empty", admin.Options{Token: goodToken}, loopback, "localhost", http.Header{"Authorization": {"Bearer "}}, 401},
		{"token, another scheme", admin.Options{Token: goodToken}, loopback, "localhost", http.Header{"Authorization": {"Basic " + string(goodToken)}}, 401},
		{"token, in another header", admin.Options{Token: goodToken}, loopback, "localhost", http.Header{"X-Token": {string(goodToken)}}, 401},
		{"token, made-up cookie", admin.Options{Token: goodToken}, loopback, "localhost", http.Header{"Cookie": {"autoconfig=4102444800.00"}}, 401},
	} {
		t.Run(row.why, func(t *testing.T) {
			a, _, _ := open(t, &row.options)
			for _, path := range []string{"/", "/page.js", "/events", "/metrics", "/nothing"} {
				// HEAD: a stream of events would not end.
				r := at(row.address, http.MethodHead, "http://"+row.host+path, nil)
				r.Host = row.host
				for name, values := range row.header {
					r.Header[name] = values
				}
				want := row.want
				if path == "/nothing" && want == 200 {
					want = 404
				}
				if response := serve(a, r); response.StatusCode != want {
					t.Errorf("%s: %s, want %d", path, response.Status, want)
				}
			}
			for _, path := range []string{"/readyz", "/healthz"} { // to anybody
				r := at(row.address, http.MethodGet, "http://"+row.host+path, nil)
				r.Host = row.host
				response := serve(a, r)
				if body, _ := io.ReadAll(response.Body); response.StatusCode != 200 && string(body) != "no configuration\n" {
					t.Errorf("%s: %s %q", path, response.Status, body)
				}
			}
		})
	}
}

// signIn returns the response to the form.
func signIn(h http.Handler, url string, header http.Header, token string) *http.Response {
	r := at("10.1.2.3", http.MethodPost, url+"/sign-in", strings.NewReader("token="+token))
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return serve(h, r)
}

func TestSignIn(t *testing.T) { testkit.InBubble(t, testSignIn) }

func testSignIn(t *testing.T, service *autoconfigtest.Server) {
	a := of(t, testkit.Open(t, testkit.To(service)), &admin.Options{Token: goodToken})
	for _, row := range []struct {
		url    string
		header http.Header
		name   string
		secure bool
	}{
		{"http://hub.example", nil, "autoconfig", false},
		{"https://hub.example", nil, "__Host-autoconfig", true},
		{"http://hub.example", http.Header{"X-Forwarded-Proto": {"https"}}, "__Host-autoconfig", true},
	} {
		response := signIn(a, row.url, row.header, string(goodToken))
		if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/" || len(response.Cookies()) != 1 {
			t.Fatalf("%s %v", response.Status, response.Header)
		}
		cookie := response.Cookies()[0]
		if cookie.Name != row.name || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure != row.secure ||
			cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 12*60*60 {
			t.Errorf("%s: %v", row.url, cookie)
		}
		if strings.Contains(cookie.Value, string(goodToken)) {
			t.Error("the cookie contains the token")
		}
		look := func(cookie *http.Cookie) int {
			r := at("10.1.2.3", http.MethodGet, row.url+"/", nil)
			if row.header != nil {
				r.Header = row.header.Clone()
			}
			r.AddCookie(cookie)
			return serve(a, r).StatusCode
		}
		if status := look(cookie); status != http.StatusOK {
			t.Errorf("with the cookie: %d", status)
		}
		if status := look(&http.Cookie{Name: "other", Value: cookie.Value}); status != http.StatusUnauthorized {
			t.Errorf("with another cookie: %d", status)
		}
		end, code, _ := strings.Cut(cookie.Value, ".")
		for _, forged := range []string{"9" + end + "." + code, end + ".", end + "." + code[1:], "." + code, "", "x." + code} {
			if status := look(&http.Cookie{Name: cookie.Name, Value: forged}); status != http.StatusUnauthorized {
				t.Errorf("with the cookie %q: %d", forged, status)
			}
		}
		testkit.Pass(12*time.Hour - time.Second)
		if status := look(cookie); status != http.StatusOK {
			t.Errorf("before its end: %d", status)
		}
		testkit.Pass(time.Second)
		if status := look(cookie); status != http.StatusUnauthorized {
			t.Errorf("after its end: %d", status)
		}
	}
}

func TestSignInRefuses(t *testing.T) {
	a, _, _ := open(t, &admin.Options{Token: goodToken})
	for why, row := range map[string]struct {
		header http.Header
		token  string
		want   int
	}{
		"wrong token":  {nil, "wrong", http.StatusUnauthorized},
		"no token":     {nil, "", http.StatusUnauthorized},
		"too large":    {nil, string(goodToken) + "&x=" + strings.Repeat("x", 4<<10), http.StatusUnauthorized},
		"another site": {http.Header{"Origin": {"https://evil.example"}}, string(goodToken), http.StatusForbidden},
	} {
		response := signIn(a, "http://hub.example", row.header, row.token)
		if response.StatusCode != row.want || len(response.Cookies()) != 0 {
			t.Errorf("%s: %s %v", why, response.Status, response.Cookies())
		}
	}
	open, _, _ := open(t, &admin.Options{Anyone: true})
	if response := signIn(open, "http://hub.example", nil, ""); response.StatusCode != http.StatusMethodNotAllowed && response.StatusCode != http.StatusNotFound {
		t.Errorf("without a token there is something to sign in to: %s", response.Status)
	}
}

// TestTokenIsNeverShown looks for the token in all that is answered and printed.
func TestTokenIsNeverShown(t *testing.T) {
	o := &admin.Options{Token: goodToken}
	a, _, _ := open(t, o)
	var shown strings.Builder
	for _, path := range []string{"/", "/metrics", "/readyz", "/nothing?token=" + string(goodToken)} {
		r := at("10.1.2.3", http.MethodGet, "http://hub.example"+path, nil)
		for range 2 {
			response := serve(a, r)
			_ = response.Write(&shown)
			r.Header.Set("Authorization", "Bearer "+string(goodToken))
		}
	}
	_ = signIn(a, "http://hub.example", nil, string(goodToken)).Write(&shown)
	_ = signIn(a, "http://hub.example", nil, string(goodToken)+"x").Write(&shown)
	for _, verb := range "vsqxXd" {
		for _, flags := range []string{"", "+", "#"} {
			for _, v := range []any{goodToken, o, *o, []admin.Token{goodToken}, a} {
				fmt.Fprintf(&shown, "%"+flags+string(verb), v)
			}
		}
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("message", "token", goodToken, "options", *o)
	for _, form := range []string{string(goodToken[:12]), hex.EncodeToString([]byte(goodToken[:12])), strings.ToUpper(hex.EncodeToString([]byte(goodToken[:12])))} {
		if i := strings.Index(shown.String(), form); i >= 0 {
			t.Errorf("shown: %s", shown.String()[max(0, i-200):i+20])
		}
	}
}

// TestFormIsGuardedAsThePage checks the headers of the form that asks for the token, and that it can be shown.
func TestFormIsGuardedAsThePage(t *testing.T) {
	a, _, _ := open(t, &admin.Options{Token: goodToken})
	form := serve(a, at("10.1.2.3", http.MethodGet, "http://hub.example/", nil))
	body, err := io.ReadAll(form.Body)
	if err != nil || form.StatusCode != http.StatusUnauthorized || !strings.Contains(form.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error(err, form.Status, form.Header)
	}
	for _, name := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(string(body), -1) {
		if response := serve(a, at("10.1.2.3", http.MethodGet, "http://hub.example/"+name[1], nil)); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", name[1], response.Status)
		}
	}
}

func TestProbes(t *testing.T) {
	for _, o := range []*admin.Options{nil, {Tolerance: time.Hour}} {
		testkit.InBubble(t, func(t *testing.T, service *autoconfigtest.Server) {
			client := testkit.Open(t, testkit.To(service))
			a := of(t, client, o)
			expect := func(when, path string, status int, word string) {
				t.Helper()
				response := serve(a, at("10.1.2.3", http.MethodGet, "http://hub.example"+path, nil))
				body, err := io.ReadAll(response.Body)
				if err != nil || response.StatusCode != status || string(body) != word+"\n" {
					t.Errorf("%s: %s: %s %q, want %d %q", when, path, response.Status, body, status, word)
				}
			}
			tolerance := admin.DefaultTolerance
			if o != nil {
				tolerance = o.Tolerance
			}
			expect("before a configuration", "/readyz", 503, "no configuration")
			expect("before a configuration", "/healthz", 200, "ok")
			testkit.Pass(tolerance)
			expect("before the tolerance has passed", "/healthz", 200, "ok")
			testkit.Pass(time.Second)
			expect("after the tolerance has passed", "/healthz", 503, "outdated")
			service.Put(testkit.Listing(testkit.Environment("a", 1)))
			testkit.Pass(time.Hour)
			expect("with a configuration", "/readyz", 200, "ok")
			expect("with a configuration", "/healthz", 200, "ok")
			client.Close()
			expect("closed", "/readyz", 503, "ended")
			expect("closed", "/healthz", 503, "ended")
		})
	}
}

// TestMetrics names the metrics that an operator may have alarms on.
func TestMetrics(t *testing.T) {
	a, client, service := open(t, &admin.Options{Anyone: true})
	service.Put(testkit.Listing(testkit.Environment("a", 1)))
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	response := serve(a, at("10.1.2.3", http.MethodGet, "http://hub.example/metrics", nil))
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(err, response.Status)
	}
	for _, want := range []string{
		`relaystream_autoconfig_status{relaystream_autoconfig_state="valid"} 1`,
		"relaystream_autoconfig_environment_count 1",
		"relaystream_autoconfig_outdated_duration_seconds 0",
		"relaystream_autoconfig_hub_readers 0",
		"relaystream_autoconfig_hub_reader_lag_bytes 0",
		"relaystream_autoconfig_hub_served_total 0",
		"relaystream_autoconfig_hub_sent_bytes_total 0",
		`relaystream_autoconfig_hub_refused_total{reason="unauthorized"} 0`,
		`relaystream_autoconfig_hub_cut_off_total{reason="lagging"} 0`,
		`relaystream_autoconfig_hub_encoded_total{event="put"} 0`,
		"relaystream_autoconfig_hub_viewers 0",
	} {
		if !slices.Contains(strings.Split(string(body), "\n"), want) {
			t.Errorf("there is no %s in\n%s", want, body)
		}
	}
}

// A stuck response takes nothing until its deadline has passed.
type stuck struct {
	http.ResponseWriter
	deadlines chan time.Time
}

func (s stuck) Flush()                          {}
func (s stuck) SetReadDeadline(time.Time) error { return nil }

func (s stuck) SetWriteDeadline(at time.Time) error {
	s.deadlines <- at
	return nil
}

func (s stuck) Write([]byte) (int, error) {
	var at time.Time
	for at.IsZero() || at.After(time.Now()) {
		var passes <-chan time.Time
		if !at.IsZero() {
			passes = time.After(time.Until(at))
		}
		select {
		case at = <-s.deadlines:
		case <-passes:
		}
	}
	return 0, os.ErrDeadlineExceeded
}

// TestMetricsOfReaders has readers that take nothing.
func TestMetricsOfReaders(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, service *autoconfigtest.Server) {
		service.Put(testkit.Listing(testkit.Environment("a", 1)))
		client := testkit.Open(t, testkit.To(service))
		h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t), MaxBacklog: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		a, err := admin.New(client, h, &admin.Options{Anyone: true})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		patch := func(version int) {
			service.Patch(testkit.Environment("a", version))
			testkit.Pass(time.Second)
		}
		for version := 2; version < 4; version++ {
			r := at("10.1.2.3", http.MethodGet, "http://hub.example/relay_auto_config", nil)
			r.Header = http.Header{"Accept": {"text/event-stream"}, "Authorization": {testkit.Key}}
			go h.ServeHTTP(stuck{httptest.NewRecorder(), make(chan time.Time, 100)}, r)
			testkit.Pass(time.Second)
			patch(version)
		}
		lag := 0
		for _, r := range h.Readers() {
			lag = max(lag, r.Lag)
		}
		expect := func(want ...string) {
			t.Helper()
			body, _ := io.ReadAll(serve(a, at("10.1.2.3", http.MethodGet, "http://hub.example/metrics", nil)).Body)
			for _, line := range want {
				if !slices.Contains(strings.Split(string(body), "\n"), "relaystream_autoconfig_hub_"+line) {
					t.Errorf("there is no %s in\n%s", line, body)
				}
			}
		}
		expect("readers 2", fmt.Sprint("reader_lag_bytes ", lag), `cut_off_total{reason="lagging"} 0`)
		patch(4)
		patch(5)
		expect("readers 1", `cut_off_total{reason="lagging"} 1`, `cut_off_total{reason="timeout"} 0`, `encoded_total{event="patch"} 4`)
		testkit.Pass(hub.DefaultWriteTimeout)
		expect("readers 0", `cut_off_total{reason="lagging"} 1`, `cut_off_total{reason="timeout"} 1`, `encoded_total{event="put"} 2`)
	})
}

func TestInvalidOptions(t *testing.T) {
	_, client, _ := open(t, nil)
	for name, o := range map[string]admin.Options{
		"Token": {Token: "15-bytes-long--"}, "Tolerance": {Tolerance: -1}, "MaxViewers": {Page: &page.Options{MaxViewers: -1}},
	} {
		var wrong *autoconfig.OptionError
		if _, err := admin.New(client, nil, &o); !errors.As(err, &wrong) || wrong.Option != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wrong *autoconfig.OptionError
	if _, err := admin.New(client, nil, &admin.Options{Token: "sixteen bytes and a space"}); !errors.As(err, &wrong) || wrong.Option != "Token" {
		t.Errorf("a token with a space: %v", err)
	}
	a, err := admin.New(client, nil, &admin.Options{Token: "16-bytes-long---"}) // MinToken
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	a.Close()
}
