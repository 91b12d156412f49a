package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/demo"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// An output is what a subcommand writes on standard error.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// A running is a run of the subcommand.
type running struct {
	t      *testing.T
	stderr *output
	stop   context.CancelFunc
	status chan int
}

// start runs the subcommand with a key, on a free port of the loopback interface unless the arguments say otherwise.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, stderr: &output{more: make(chan struct{}, 1)}, stop: cancel, status: make(chan int, 1)}
	p := &cli.Process{
		Args: append([]string{"-listen", "127.0.0.1:0"}, args...), Stdout: io.Discard, Stderr: r.stderr,
		Getenv: func(name string) string { return map[string]string{cli.KeyVariable: testkit.Key}[name] },
	}
	go func() { r.status <- Run(ctx, p) }()
	t.Cleanup(func() {
		if r.stop != nil {
			r.end()
		}
		for _, secret := range []string{testkit.Key, "sdk-", "mob-"} {
			if strings.Contains(r.stderr.String(), secret) {
				t.Errorf("a key is shown: %s", r.stderr)
			}
		}
	})
	return r
}

// end interrupts the subcommand and returns its exit status.
func (r *running) end() int {
	r.t.Helper()
	r.stop()
	r.stop = nil
	return r.wait()
}

// wait returns the exit status.
func (r *running) wait() int {
	r.t.Helper()
	select {
	case status := <-r.status:
		r.status <- status
		return status
	case <-time.After(time.Minute):
		r.t.Fatal("it has not ended in a minute")
		return 0
	}
}

// await waits for a line that matches, and returns what its group does.
func (r *running) await(expression string) string {
	r.t.Helper()
	pattern, timeout := regexp.MustCompile(expression), time.After(time.Minute)
	for {
		if found := pattern.FindStringSubmatch(r.stderr.String()); found != nil {
			return found[1]
		}
		select {
		case <-r.stderr.more:
		case <-timeout:
			r.t.Fatalf("no line matches %s in a minute: %s", expression, r.stderr)
		}
	}
}

func (r *running) address() string { return r.await(`listening on (https?://[0-9.]+:\d+)`) }

// service starts a service with one environment.
func service(t *testing.T) *autoconfigtest.Server {
	t.Helper()
	s := autoconfigtest.NewServer(testkit.Key)
	t.Cleanup(s.Close)
	s.Put(testkit.Listing(testkit.Environment("e1", 1)))
	return s
}

// reader returns a client of a hub that has got its configuration.
func reader(t *testing.T, baseURI string, key autoconfig.AutoConfigKey) *autoconfig.Client {
	t.Helper()
	client, err := autoconfig.Open(t.Context(), key, &autoconfig.Options{BaseURI: baseURI, Logger: testkit.Censored(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := client.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return client
}

// get returns the status and the body of an answer.
func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestHub(t *testing.T) {
	r := start(t, "-stream-uri", service(t).URL)
	address := r.address()
	client := reader(t, address, testkit.Key)
	if s := client.Snapshot(); len(s.Environments) != 1 {
		t.Errorf("the reader gets %v", s)
	}
	for path, want := range map[string]string{"/readyz": "ok", "/healthz": "ok", "/": "<!doctype html>", "/metrics": "# HELP"} {
		if status, body := get(t, address+path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: status %d: %s", path, status, body)
		}
	}
	if status := r.end(); status != cli.Done {
		t.Errorf("status %d after an interruption: %s", status, r.stderr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	interrupted := stream.Filter(client.Status(), func(s autoconfig.Status) bool { return s.State == autoconfig.Interrupted })
	if _, err := interrupted.First(ctx); err != nil {
		t.Errorf("the reader's stream has not ended: %v", err)
	}
}

func TestDemonstration(t *testing.T) {
	r := start(t, "-demo", "-log-level", "info")
	client := reader(t, r.address(), demo.Key)
	if s := client.Snapshot(); len(s.Environments) < 5 {
		t.Errorf("it has %v", s)
	}
	if key := r.await("the key (.+)"); key != string(demo.Key) {
		t.Errorf("it names another key: %s", key)
	}
	for _, relay := range []string{"east", "west", "staging"} { // so that the page shows readers
		r.await("reader came.* (userAgent=relay-demo/" + relay + ")")
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "configuration.json")
	content := testkit.Listing(testkit.Environment("e1", 1))
	if err := os.WriteFile(path, []byte(testkit.JSON(content)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, "-file", path)
	client := reader(t, r.address(), testkit.Key)
	changes := testkit.Watch(client.Changes())
	defer changes.Stop()
	changes.Await(t, 2) // added, synced
	content.Environments["e2"] = testkit.Environment("e2", 1)
	if err := os.WriteFile(path, []byte(testkit.JSON(content)), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := changes.Await(t, 1)[0]; c.Kind != autoconfig.EnvironmentAdded {
		t.Errorf("after a change of the file: %v", c)
	}
}

func TestCache(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	upstream := service(t)
	first := start(t, "-stream-uri", upstream.URL, "-cache", path)
	reader(t, first.address(), testkit.Key)
	if status := first.end(); status != cli.Done {
		t.Fatalf("status %d: %s", status, first.stderr)
	}
	upstream.Stop()
	second := start(t, "-stream-uri", upstream.URL, "-cache", path)
	if s := reader(t, second.address(), testkit.Key).Snapshot(); len(s.Environments) != 1 {
		t.Errorf("without the service: %v", s)
	}
}

func TestAdminAddress(t *testing.T) {
	r := start(t, "-stream-uri", service(t).URL, "-admin-listen", "127.0.0.1:0")
	public, admin := r.address(), r.await(`page and metrics on (http://\S+)`)
	reader(t, public, testkit.Key)
	for url, want := range map[string]int{
		public + "/": 404, public + "/metrics": 404, public + "/events": 404, public + "/readyz": 200, public + "/healthz": 200,
		admin + "/": 200, admin + "/metrics": 200, admin + "/readyz": 200,
	} {
		if status, _ := get(t, url, ""); status != want {
			t.Errorf("%s: status %d, want %d", url, status, want)
		}
	}
}

func TestAdminToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	const token = "token-0123456789"
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := start(t, "-stream-uri", service(t).URL, "-admin-token-file", path).address()
	for token, want := range map[string]int{token: 200, token + "0": 401, "": 401} {
		if status, _ := get(t, address+"/metrics", token); status != want {
			t.Errorf("with token %q: status %d, want %d", token, status, want)
		}
	}
}

// TestKeyRotation changes the key in its file under a hub, which looks every 5 seconds.
func TestKeyRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	replace := func(key string) {
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replace(testkit.Key)
	testkit.InBubble(t, func(t *testing.T, server *autoconfigtest.Server) {
		client := testkit.Open(t, testkit.To(server))
		h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: testkit.Censored(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		r := &rotation{service: cli.Service{KeyFile: path}, process: &cli.Process{}, log: testkit.Censored(t), hub: h, current: testkit.Key}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.run(ctx)
		refused := func(key string) bool {
			request := httptest.NewRequest(http.MethodGet, "/relay_auto_config", nil)
			request.Header.Set("Accept", "text/event-stream")
			request.Header.Set("Authorization", key)
			recorder := httptest.NewRecorder() // it cannot be streamed to: status 500 tells that the key was right
			h.ServeHTTP(recorder, request)
			return recorder.Code == http.StatusUnauthorized
		}
		for _, step := range []struct{ content, good, bad string }{
			{testkit.Key, testkit.Key, "new-key"},
			{"new-key\n", "new-key", testkit.Key},
			{"", "new-key", ""},
			{"not\nvalid", "new-key", "not"},
			{testkit.Key, testkit.Key, "new-key"},
		} {
			replace(step.content)
			testkit.Pass(5 * time.Second)
			if refused(step.good) || !refused(step.bad) {
				t.Errorf("with %d bytes in the file: refused: %t, want false; and %t, want true", len(step.content), refused(step.good), refused(step.bad))
			}
		}
	})
}

// TestKeyFile checks that a hub looks for another key in its file.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	replace := func(key string) {
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	replace(testkit.Key)
	r := start(t, "-stream-uri", service(t).URL, "-key-file", path)
	reader(t, r.address(), testkit.Key)
	replace("new-key")
	r.await("(the auto-configuration key has changed)")
}

// TestLimits checks what bounds a request, and that the help says how long a shutdown takes.
func TestLimits(t *testing.T) {
	l := new(listeners)
	defer l.close()
	if _, err := l.add("127.0.0.1:0", http.NotFoundHandler(), nil, testkit.Censored(t)); err != nil {
		t.Fatal(err)
	}
	s := l.servers[0]
	if s.ReadHeaderTimeout != 10*time.Second || s.IdleTimeout != 2*time.Minute || s.MaxHeaderBytes != 16<<10 {
		t.Errorf("%v for a header of %d bytes, %v idle", s.ReadHeaderTimeout, s.MaxHeaderBytes, s.IdleTimeout)
	}
	if s.ReadTimeout != 0 || s.WriteTimeout != 0 { // either would end streams
		t.Errorf("%v for a request, %v for an answer", s.ReadTimeout, s.WriteTimeout)
	}
	if within := fmt.Sprintf("within %d s", shutdownLimit/time.Second); !strings.Contains(about, within) {
		t.Errorf("the help does not say %s", within)
	}
}

// TestGreetingInJSON checks that every line is JSON if the log is, whatever its level.
func TestGreetingInJSON(t *testing.T) {
	r := start(t, "-demo", "-log-format", "json", "-log-level", "off")
	address := r.address()
	second := start(t, "-demo", "-log-format", "json", "-log-level", "off", "-listen", strings.TrimPrefix(address, "http://"))
	if status := second.wait(); status != cli.Failure {
		t.Errorf("status %d at an address that is taken", status)
	}
	r.end()
	for line := range strings.Lines(r.stderr.String() + second.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestWarnings does not listen on other addresses than loopback.
func TestWarnings(t *testing.T) {
	loopback, everywhere := &net.TCPAddr{IP: net.IPv6loopback}, &net.TCPAddr{IP: net.IPv6unspecified}
	for name, test := range map[string]struct {
		server
		public, admin net.Addr
		want          int
	}{
		"loopback":                      {server{flags: &flags{}}, loopback, loopback, 0},
		"all addresses":                 {server{flags: &flags{}}, everywhere, nil, 1},
		"all addresses with TLS":        {server{flags: &flags{tlsCert: "file"}}, everywhere, nil, 0},
		"the page on all":               {server{flags: &flags{}}, loopback, everywhere, 2},
		"the page on all with TLS":      {server{flags: &flags{tlsCert: "file"}}, loopback, everywhere, 1},
		"the page on all with a token":  {server{flags: &flags{}, token: "token"}, loopback, everywhere, 1},
		"the page on all with both":     {server{flags: &flags{tlsCert: "file"}, token: "token"}, loopback, everywhere, 0},
		"the page of another interface": {server{flags: &flags{}}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}, nil, 1},
	} {
		if got := test.warnings(test.public, test.admin); len(got) != test.want {
			t.Errorf("%s: %q, want %d warnings", name, got, test.want)
		}
	}
}

func TestExitStatus(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	sendsAway := service(t)
	sendsAway.Next(autoconfigtest.Status(204))
	for name, test := range map[string]struct {
		args []string
		want int
	}{
		"an address that is taken": {[]string{"-listen", taken.Addr().String()}, cli.Failure},
		"an admin address that is": {[]string{"-admin-listen", taken.Addr().String()}, cli.Failure},
		"no such certificate":      {[]string{"-tls-cert", "testdata/none", "-tls-key", "testdata/none"}, cli.Failure},
		"a certificate, no key":    {[]string{"-tls-cert", "testdata/none"}, cli.Usage},
		"a file and a demo":        {[]string{"-file", "testdata/none", "-demo"}, cli.Usage},
		"a cache and a demo":       {[]string{"-cache", "testdata/none", "-demo"}, cli.Usage},
		"no such token":            {[]string{"-admin-token-file", "testdata/none"}, cli.Usage},
		"an empty token":           {[]string{"-admin-token-file", os.DevNull}, cli.Usage},
		"no such key":              {[]string{"-key-file", "testdata/none"}, cli.Usage},
		"an empty key":             {[]string{"-key-file", os.DevNull}, cli.Usage},
		"plain http":               {[]string{"-stream-uri", "http://service.invalid"}, cli.Usage},
		"204":                      {[]string{"-stream-uri", sendsAway.URL}, cli.SentAway},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, append([]string{"-stream-uri", "https://127.0.0.1:1"}, test.args...)...)
			if got := r.wait(); got != test.want {
				t.Errorf("status %d, want %d: %s", got, test.want, r.stderr)
			}
			if r.stderr.String() == "" {
				t.Error("it does not say why")
			}
		})
	}
}

// TestErrorLog checks that what net/http quotes of a request does not reach the log.
func TestErrorLog(t *testing.T) {
	var book testkit.Logbook
	log.New(errorLog{book.Logger()}, "", 0).Printf("http2: error reading preface from client: bogus greeting %q\nmore", "Authorization: key")
	records := book.Take()
	if len(records) != 1 || records[0].Level != slog.LevelWarn {
		t.Fatalf("%d records", len(records))
	}
	if got := testkit.Attr(records[0], "problem"); got != "http2: error reading preface from client: bogus greeting " {
		t.Errorf("it logs %q", got)
	}
}
