package page

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/internal/web"
)

//go:embed assets
var embedded embed.FS

const (
	// DefaultMaxViewers is how many browsers may look at once.
	DefaultMaxViewers = 64
	// DefaultWriteTimeout is how long a browser may take to read what it is sent.
	DefaultWriteTimeout = 10 * time.Second
)

// Options refine New. The zero value, like nil, means the defaults. Options are copied at the call.
type Options struct {
	// MaxViewers limits how many event streams are open at once. Further ones are refused with 503 and
	// Retry-After, and try again. The default is DefaultMaxViewers.
	MaxViewers int
	// WriteTimeout bounds each write to a viewer. One that takes longer is cut off, and may come back. The
	// default is DefaultWriteTimeout.
	WriteTimeout time.Duration
}

// withDefaults returns a copy of o in which every field has its value.
func (o *Options) withDefaults() (Options, error) {
	var all Options
	if o != nil {
		all = *o
	}
	switch {
	case all.MaxViewers < 0:
		return all, &autoconfig.OptionError{Option: "MaxViewers", Reason: "must not be negative"}
	case all.WriteTimeout < 0:
		return all, &autoconfig.OptionError{Option: "WriteTimeout", Reason: "must not be negative"}
	}
	if all.MaxViewers == 0 {
		all.MaxViewers = DefaultMaxViewers
	}
	if all.WriteTimeout == 0 {
		all.WriteTimeout = DefaultWriteTimeout
	}
	return all, nil
}

// A Page is an http.Handler that shows what a client knows. It serves the page at /, its files beside it, and the
// events that keep it current at /events. It admits everybody; package admin decides who may look. New makes one.
// Its methods may be called concurrently.
type Page struct {
	options Options
	mux     *http.ServeMux
	feed    *feed

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // the feed's goroutine and the viewers

	mu      sync.Mutex
	viewers int
}

// New returns the page of a client, and subscribes to the client until Close. The function readers, if not nil, lists who
// reads from the hub; it is called concurrently. Nil options mean the defaults. The error is an
// *autoconfig.OptionError. New panics if client is nil.
func New(client *autoconfig.Client, readers func() []hub.Reader, o *Options) (*Page, error) {
	if client == nil {
		panic("page: New: nil client")
	}
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	assets, err := fs.Sub(embedded, "assets")
	if err != nil {
		return nil, err
	}
	p := &Page{options: options, feed: newFeed(client, readers, web.Version(assets, web.Shared()))}
	p.mux = p.routes(assets)
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.work.Go(func() { p.feed.run(p.ctx) })
	return p, nil
}

func (p *Page) routes(assets fs.FS) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", web.File(assets, "index.html"))
	for _, name := range []string{"page.js", "model.js", "view.js", "rows.js", "text.js"} {
		mux.Handle("GET /"+name, web.File(assets, name))
	}
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.Handle("GET /"+name, web.File(web.Shared(), name))
	}
	mux.HandleFunc("GET /events", p.serveEvents)
	return mux
}

// ServeHTTP implements http.Handler. It answers /events with status 503 and Retry-After if there are too many viewers or the page is
// closed, and with 500 if w lacks the methods that http.ResponseController needs to set deadlines and to flush.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// String returns a description without keys.
func (p *Page) String() string { return fmt.Sprintf("page.Page(%d viewers)", p.Viewers()) }

// Format implements fmt.Formatter with String for every verb, because a page holds keys.
func (p *Page) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// Viewers returns how many event streams are open.
func (p *Page) Viewers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewers
}

// Close ends the event streams and the subscription to the client, and waits for them. Afterwards ServeHTTP refuses events
// with 503 and serves the rest as before. Call Close before http.Server.Shutdown, which would wait for the event
// streams. Close is idempotent.
func (p *Page) Close() {
	p.mu.Lock()
	p.cancel()
	p.mu.Unlock()
	p.work.Wait()
}

// serveEvents sends a viewer the state, and then what happens, until it leaves, falls behind, or the page is closed.
func (p *Page) serveEvents(w http.ResponseWriter, r *http.Request) {
	web.SetHeaders(w.Header())
	if r.Method != http.MethodGet {
		return // HEAD
	}
	if !p.enter() {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryDelay/time.Second)))
		http.Error(w, "too many viewers", http.StatusServiceUnavailable)
		return
	}
	defer p.leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()

	v := viewer{ctx, w, http.NewResponseController(w), p.options.WriteTimeout}
	if err := v.extend(); err != nil {
		http.Error(w, "this server cannot bound writes", http.StatusInternalServerError)
		return
	}
	defer v.interruptible()()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx collects the events
	// The error is that the viewer was too slow, or the context's: both end the response, and the browser comes back.
	_ = p.feed.observe()(ctx, v.send)
}

// enter counts a viewer, unless there are too many, or the page is closed.
func (p *Page) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.viewers >= p.options.MaxViewers || p.ctx.Err() != nil {
		return false
	}
	p.viewers++
	p.work.Add(1)
	return true
}

func (p *Page) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers--
	p.work.Done()
}

// A viewer is a response that is an event stream.
type viewer struct {
	ctx     context.Context
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

// extend gives the next write its time.
func (v viewer) extend() error { return v.control.SetWriteDeadline(time.Now().Add(v.timeout)) }

// interruptible makes the end of the context end a write that is under way, until stop is called.
func (v viewer) interruptible() (stop func()) {
	done := make(chan struct{})
	cancel := context.AfterFunc(v.ctx, func() {
		defer close(done)
		_ = v.control.SetWriteDeadline(time.Unix(1, 0)) // extend has not failed
	})
	return func() {
		if !cancel() {
			<-done
		}
	}
}

// send writes an event. It returns false when the viewer has left or does not read.
func (v viewer) send(m message) bool {
	// The context may have ended, and its deadline been replaced, since the last look at it.
	if err := v.extend(); err != nil || v.ctx.Err() != nil {
		return false
	}
	if _, err := v.w.Write(m.encode()); err != nil {
		return false
	}
	return v.control.Flush() == nil
}
