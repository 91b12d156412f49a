package admin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/internal/web"
	"github.com/relaystream/autoconfig/hub/page"
)

const (
	// DefaultTolerance is how long the configuration may be outdated before /healthz reports it.
	DefaultTolerance = 6 * time.Hour
	// MinToken is the least length of a token, in bytes.
	MinToken = 16
)

// Options refine New. The zero value, like nil, means the defaults. Options are copied at the call.
type Options struct {
	// Token, if not empty, is required of everybody, on every address. It must have at least MinToken bytes, of visible
	// ASCII. By default there is none.
	Token Token
	// Anyone admits everybody on addresses other than loopback, if there is no token. It is for an address that serves nothing
	// else and that only operators reach.
	Anyone bool
	// Hosts are names, without a port, under which requests may arrive at a loopback address without a token; localhost and
	// loopback IP addresses always may.
	Hosts []string
	// Tolerance is how long the configuration may be outdated before /healthz says so; see
	// autoconfig.Client.Liveness. The default is DefaultTolerance.
	Tolerance time.Duration
	// Page refines the page. Nil means its defaults.
	Page *page.Options
}

// withDefaults returns a copy of o in which every field has its value.
func (o *Options) withDefaults() (Options, error) {
	var all Options
	if o != nil {
		all = *o
	}
	switch {
	case all.Token != "" && !all.Token.valid():
		return all, &autoconfig.OptionError{Option: "Token", Reason: "must have at least 16 bytes, of visible ASCII"}
	case all.Tolerance < 0:
		return all, &autoconfig.OptionError{Option: "Tolerance", Reason: "must not be negative"}
	}
	if all.Tolerance == 0 {
		all.Tolerance = DefaultTolerance
	}
	return all, nil
}

// An Admin is an http.Handler; the package comment says what it serves. New makes one. Its methods may be called
// concurrently.
type Admin struct {
	handler http.Handler
	page    *page.Page
	metrics *metrics
}

// New returns the handler for a client and the hub that serves it on. The hub may be nil. The error is an
// *autoconfig.OptionError. New panics if client is nil.
func New(client *autoconfig.Client, h *hub.Hub, o *Options) (*Admin, error) {
	if client == nil {
		panic("admin: New: nil client")
	}
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	var readers func() []hub.Reader
	if h != nil {
		readers = h.Readers
	}
	p, err := page.New(client, readers, options.Page)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(client, h, p)
	if err != nil {
		p.Close()
		return nil, err
	}
	a := &Admin{page: p, metrics: m}
	a.handler = a.routes(newGate(&options), readiness(client, h), func() error { return client.Liveness(options.Tolerance) })
	return a, nil
}

func (a *Admin) routes(g *gate, ready, live func() error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /readyz", probe(ready))
	mux.Handle("GET /healthz", probe(live))
	mux.Handle("GET /metrics", g.guard(a.metrics))
	mux.Handle("/", g.guard(a.page))
	if g.token != "" {
		mux.HandleFunc("POST /sign-in", g.signIn)
		for _, name := range []string{"style.css", "icon.svg"} { // for the form
			mux.Handle("GET /"+name, web.File(web.Shared(), name))
		}
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// ServeHTTP implements http.Handler.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Format implements fmt.Formatter: every verb prints the type's name, because an admin holds keys and the token.
func (a *Admin) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "admin.Admin") }

// Close ends the page's event streams and the metrics, and waits for them. It does not close the client or the hub. Call it
// before http.Server.Shutdown, which would wait for the event streams. Close is idempotent.
func (a *Admin) Close() {
	a.page.Close()
	a.metrics.close()
}

// readiness returns what /readyz asks: whether the client has a configuration, and the hub has it from the client.
func readiness(client *autoconfig.Client, h *hub.Hub) func() error {
	return func() error {
		if err := client.Readiness(); err != nil || h == nil || h.Stats().Ready {
			return err
		}
		return &autoconfig.HealthError{Problem: autoconfig.NoConfiguration, Since: time.Now()}
	}
}

// probe answers with a word, which is fit for anybody.
func probe(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		web.SetHeaders(w.Header())
		var health *autoconfig.HealthError
		if errors.As(check(), &health) {
			http.Error(w, health.Problem.String(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // the client has left if that fails
	}
}
