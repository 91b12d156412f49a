package page_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/page"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A screen is an http.ResponseWriter that takes its time.
type screen struct {
	delay func() time.Duration // of each write; nil for none
	moved chan struct{}        // gets a token when the deadline was moved

	mu       sync.Mutex
	header   http.Header
	status   int
	body     bytes.Buffer
	deadline time.Time
}

func newScreen(delay func() time.Duration) *screen {
	return &screen{delay: delay, moved: make(chan struct{}, 1), header: make(http.Header)}
}

func (s *screen) Header() http.Header { return s.header }

func (s *screen) WriteHeader(status int) { s.status = status }

func (s *screen) Flush() {}

func (s *screen) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	select {
	case s.moved <- struct{}{}:
	default:
	}
	return nil
}

// Write waits for the delay, but not longer than the deadline allows.
func (s *screen) Write(p []byte) (int, error) {
	done := time.Now()
	if s.delay != nil {
		done = done.Add(s.delay())
	}
	for {
		s.mu.Lock()
		deadline := s.deadline
		s.mu.Unlock()
		switch now := time.Now(); {
		case !deadline.After(now):
			return 0, os.ErrDeadlineExceeded
		case !done.After(now):
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.body.Write(p)
		default:
			select {
			case <-time.After(min(done.Sub(now), deadline.Sub(now))):
			case <-s.moved:
			}
		}
	}
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.body.String()
}

// look opens a stream of events on the screen. The channel is closed when it has ended.
func (s *screen) look(t testing.TB, p *page.Page) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ServeHTTP(s, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", nil))
	}()
	return done
}

// inBubble runs f in virtual time, with the page of a client of the service.
func inBubble(t *testing.T, o *page.Options, f func(t *testing.T, p *page.Page, service *autoconfigtest.Server)) {
	t.Helper()
	testkit.InBubble(t, func(t *testing.T, service *autoconfigtest.Server) {
		p, err := page.New(testkit.Open(t, testkit.To(service)), nil, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		f(t, p, service)
	})
}

// ended fails the test unless the stream has.
func ended(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	synctest.Wait()
	select {
	case <-done:
	default:
		t.Fatalf("%s: still open", what)
	}
}

func TestStuckViewerIsCutOff(t *testing.T) {
	for _, o := range []*page.Options{nil, {WriteTimeout: time.Minute}} {
		inBubble(t, o, func(t *testing.T, p *page.Page, _ *autoconfigtest.Server) {
			timeout := page.DefaultWriteTimeout
			if o != nil {
				timeout = o.WriteTimeout
			}
			done := newScreen(func() time.Duration { return time.Hour }).look(t, p)
			testkit.Pass(timeout - 1)
			if n := p.Viewers(); n != 1 {
				t.Errorf("%d viewers before %v have passed", n, timeout)
			}
			testkit.Pass(1)
			ended(t, "stuck", done)
		})
	}
}

// TestSlowViewerIsCutOff has a viewer that reads, but slower than things happen; and one that keeps up.
func TestSlowViewerIsCutOff(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, p *page.Page, service *autoconfigtest.Server) {
		service.Put(testkit.Listing())
		testkit.Pass(time.Second)
		slow := newScreen(func() time.Duration { return 5 * time.Second }).look(t, p)
		quick := newScreen(nil)
		open := quick.look(t, p)
		for i := range 1000 {
			service.Patch(testkit.Environment("a", i+1))
			testkit.Pass(time.Second)
		}
		ended(t, "slow", slow)
		if !strings.Contains(quick.String(), `"version":1000`) {
			t.Error("the other one has not seen everything")
		}
		p.Close()
		ended(t, "closed", open)
	})
}

func TestViewersAreLimited(t *testing.T) {
	for _, o := range []*page.Options{nil, {MaxViewers: 2}} {
		inBubble(t, o, func(t *testing.T, p *page.Page, _ *autoconfigtest.Server) {
			limit := page.DefaultMaxViewers
			if o != nil {
				limit = o.MaxViewers
			}
			for range limit {
				newScreen(nil).look(t, p)
			}
			synctest.Wait()
			refused := newScreen(nil)
			_ = refused.SetWriteDeadline(time.Now().Add(time.Hour))
			ended(t, "one too many", refused.look(t, p))
			if refused.status != http.StatusServiceUnavailable || refused.header.Get("Retry-After") != "1" {
				t.Errorf("one too many: %d %v", refused.status, refused.header)
			}
			p.Close() // and not hang, with everybody looking
			if n := p.Viewers(); n != 0 {
				t.Errorf("%d viewers after Close", n)
			}
		})
	}
}

// TestCloseInterruptsAWrite closes the page while a viewer does not read.
func TestCloseInterruptsAWrite(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, p *page.Page, _ *autoconfigtest.Server) {
		stuck := newScreen(func() time.Duration { return time.Hour }).look(t, p)
		synctest.Wait()
		start := time.Now()
		p.Close()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("Close has waited for %v", waited)
		}
		ended(t, "stuck", stuck)
		p.Close()
		late := newScreen(nil)
		_ = late.SetWriteDeadline(time.Now().Add(time.Hour))
		if ended(t, "late", late.look(t, p)); late.status != http.StatusServiceUnavailable {
			t.Errorf("after Close: %d", late.status)
		}
	})
}

func TestEndOfTheClientIsShown(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, service *autoconfigtest.Server) {
		client := testkit.Open(t, testkit.To(service))
		p, err := page.New(client, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		service.Put(testkit.Listing(testkit.Environment("a", 1)))
		testkit.Pass(time.Second)
		client.Close()
		testkit.Pass(time.Second)
		s := newScreen(nil)
		s.look(t, p)
		testkit.Pass(time.Minute)
		if got := s.String(); !strings.Contains(got, `"state":"off"`) || !strings.Contains(got, `"envID":"a"`) || p.Viewers() != 1 {
			t.Errorf("%d viewers see %s", p.Viewers(), got)
		}
	})
}

// TestHeaders checks the headers of everything that the page serves.
func TestHeaders(t *testing.T) {
	client := testkit.Open(t, testkit.To(newService(t)))
	p, err := page.New(client, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/style.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml",
		"/page.js": "text/javascript; charset=utf-8", "/model.js": "text/javascript; charset=utf-8",
		"/view.js": "text/javascript; charset=utf-8", "/rows.js": "text/javascript; charset=utf-8", "/text.js": "text/javascript; charset=utf-8",
		"/events": "",
	} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodHead, path, nil))
		want := map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
				"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin", "Content-Type": kind,
		}
		for name, value := range want {
			if got := w.Header().Get(name); w.Code != http.StatusOK || got != value {
				t.Errorf("%s: %d, %s is %q, want %q", path, w.Code, name, got, value)
			}
		}
		w = httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
}

// TestEventsNeedDeadlines serves events to a writer that cannot bound its writes.
func TestEventsNeedDeadlines(t *testing.T) {
	p, err := page.New(testkit.Open(t, testkit.To(newService(t))), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	w := httptest.NewRecorder() // has no SetWriteDeadline
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/events", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
}

func newService(t testing.TB) *autoconfigtest.Server {
	service := autoconfigtest.NewServer(testkit.Key)
	t.Cleanup(service.Close)
	return service
}

func TestInvalidOptions(t *testing.T) {
	client := testkit.Open(t, testkit.To(newService(t)))
	for name, o := range map[string]page.Options{"MaxViewers": {MaxViewers: -1}, "WriteTimeout": {WriteTimeout: -1}} {
		var wrong *autoconfig.OptionError
		if _, err := page.New(client, nil, &o); !errors.As(err, &wrong) || wrong.Option != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysAreMasked looks for keys in everything that viewers are sent, while keys are rotated, expire and are deleted.
func TestKeysAreMasked(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, p *page.Page, service *autoconfigtest.Server) {
		at := time.Now().Add(time.Hour).UnixMilli()
		secret := testkit.Environment("a", 1)
		secret.SDKKey = autoconfig.SDKKeyRep{Value: "sdk-CURRENTSECRET-0002", Expiring: autoconfig.ExpiringKeyRep{Value: "sdk-OLDERSECRET-0003", Timestamp: at}}
		secret.MobKey = "mob-MOBILESECRET-0004"
		secret.SDKKeys = []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{
			{Value: secret.SDKKey.Value}, {Value: "SHRTKEY8", Expiry: &at}, {Value: "sdk-OLDERSECRET-0003", Expiry: &at},
		}
		service.Put(testkit.Listing(secret))
		testkit.Pass(time.Second)
		live := newScreen(nil)
		live.look(t, p)
		testkit.Pass(time.Second)

		rotated := secret
		rotated.Version, rotated.SDKKey.Value, rotated.MobKey = 2, "sdk-NEWERSECRET-0005", "mob-NEWERSECRET-0006"
		rotated.SDKKeys = append(secret.SDKKeys[1:len(secret.SDKKeys):len(secret.SDKKeys)],
			autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{Value: rotated.SDKKey.Value}, autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{Value: secret.SDKKey.Value, Expiry: &at})
		service.Patch(rotated)
		testkit.Pass(2 * time.Hour) // keys expire
		late := newScreen(nil)
		late.look(t, p)
		service.Delete("a", 3)
		service.SendEvent("patch", `{"path":"/environments/a","data":{"sdkKey":{"value":"sdk-BROKENSECRET`)
		testkit.Pass(time.Minute)

		shown := live.String() + late.String() + fmt.Sprintf("%v %+v %#v %s %d", p, p, p, p, p)
		for _, want := range []string{"***0002", "***0003", "***0004", "***0005", "key expired", "environment deleted", `"sdkKey":"***"`, "malformed"} {
			if !strings.Contains(shown, want) {
				t.Errorf("nothing shows %s", want)
			}
		}
		for _, secret := range []string{"SECRET", "RTKEY", testkit.Key, "534543524554", "U0VDUkVU"} {
			if i := strings.Index(shown, secret); i >= 0 {
				t.Errorf("shown: …%s", shown[max(0, i-100):i+len(secret)])
			}
		}
	})
}

// TestReadersAreListed checks that those furthest behind come first, and that a long list is cut.
func TestReadersAreListed(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, service *autoconfigtest.Server) {
		readers := func() (all []hub.Reader) {
			for i := range 5000 {
				all = append(all, hub.Reader{Address: fmt.Sprintf("10.0.0.1:%d", i), UserAgent: strings.Repeat("é", 1<<12), Lag: i})
			}
			return all
		}
		p, err := page.New(testkit.Open(t, testkit.To(service)), readers, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		s := newScreen(nil)
		s.look(t, p)
		synctest.Wait()
		var got shown
		got.read(t, strings.NewReader(s.String()), nil)
		r := got.Pulse.Readers
		if r.Total != 5000 || r.MaxLag != 4999 || len(r.Listed) != 100 || r.Listed[0].Lag != 4999 || r.Listed[99].Lag != 4900 || len(r.Listed[0].UserAgent) != 400 {
			t.Errorf("%d readers, up to %d behind, listed %d from %v", r.Total, r.MaxLag, len(r.Listed), r.Listed[0])
		}
	})
}

// TestHistoryIsKept checks what a newcomer is told of the past, and that it is bounded.
func TestHistoryIsKept(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, p *page.Page, service *autoconfigtest.Server) {
		service.Put(testkit.Listing(testkit.Environment("a", 1)))
		testkit.Pass(time.Second)
		for i := range 60 {
			service.CloseConnections()
			testkit.Pass(2 * time.Minute)
			for j := range 5 {
				service.Patch(testkit.Environment("a", 2+5*i+j))
				testkit.Pass(time.Second)
			}
		}
		s := newScreen(nil)
		s.look(t, p)
		synctest.Wait()
		var got shown
		got.read(t, io.Reader(strings.NewReader(s.String())), nil)
		if len(got.History) != 50 || got.History[49].State != "valid" || got.History[48].State != "interrupted" || got.History[48].Error == "" {
			t.Errorf("%d statuses, the last %v", len(got.History), got.History[len(got.History)-1])
		}
		if len(got.Log) != 200 || got.Total <= 300 || got.Log[199] != got.Total {
			t.Errorf("%d changes of %d", len(got.Log), got.Total)
		}
	})
}
