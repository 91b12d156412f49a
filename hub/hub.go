package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// omissionDelay is how long an omission waits for others, so that one put tells of all. The Synced of a put ends the wait.
const omissionDelay = 100 * time.Millisecond

// A Hub is an http.Handler that serves a client's configuration on. New makes one; the methods of the zero Hub panic,
// except String and Format. Methods may be called concurrently.
type Hub struct {
	settings *settings
	cancel   context.CancelFunc
	running  sync.WaitGroup // the hub's goroutines and the readers
	owed     chan struct{}  // gets a token when an omission waits

	mu        sync.Mutex
	state     *configuration
	ready     bool // there was a Synced
	tail      *event
	start     start
	more      chan struct{}             // closed when tail gets a successor; nil while nobody waits
	omissions map[diff.Subject]struct{} // that readers have not been told of
	deleted   map[diff.Subject]int      // versions of the deletes since the last put, which readers remember
	readers   []*reader
	addresses map[netip.Addr]int // readers by address
	due       uint64             // a lower bound of tail.end at which a reader exceeds its backlog
	over      error              // why there are no new readers, once that is so
	counts    Stats

	written written
}

// A start is what newcomers begin with: a put, and then the events after at. It is of the state as it is, or was shortly
// before. The zero start is none.
type start struct {
	put *put
	at  *event
}

// Why a reader's stream ends.
var (
	errLeft        = errors.New("hub: the reader has left")
	errLagging     = errors.New("hub: the reader lags")
	errClientEnded = errors.New("hub: the client has ended")
	errShutdown    = errors.New("hub: shut down")
	errClosed      = errors.New("hub: closed")
)

// endedByHub reports whether a stream ends though its reader is all right.
func endedByHub(why error) bool {
	return errors.Is(why, errClientEnded) || errors.Is(why, errShutdown) || errors.Is(why, errClosed)
}

// New returns a hub that serves the configuration of client until the hub is closed or the client ends; Close must be
// called in any case. The error is an *autoconfig.OptionError. New panics if client is nil.
func New(client *autoconfig.Client, o *Options) (*Hub, error) {
	if client == nil {
		panic("hub: New: nil client")
	}
	s, err := o.resolve()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &Hub{
		settings:  s,
		cancel:    cancel,
		owed:      make(chan struct{}, 1),
		state:     newConfiguration(),
		tail:      new(event),
		due:       math.MaxUint64,
		omissions: make(map[diff.Subject]struct{}),
		deleted:   make(map[diff.Subject]int),
		addresses: make(map[netip.Addr]int),
	}
	// Nothing is merged, so that an item that was omitted and added again at the same version is both to the readers.
	changes := client.ChangesUnder(stream.Block[autoconfig.Change](autoconfig.DefaultLag))
	h.running.Go(func() {
		_ = changes(ctx, h.change) // the client reports why it failed
		h.end(errClientEnded)
	})
	h.running.Go(func() { h.tick(ctx) })
	return h, nil
}

// change takes the next change of the client.
func (h *Hub) change(c autoconfig.Change) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	subject := c.Subject()
	if _, waits := h.omissions[subject]; waits {
		h.tellOmissions() // before the item is back
	}
	if h.forgotten(&c) {
		h.append(&event{put: h.state.put()})
	}
	h.state.apply(&c)
	if c.Kind == autoconfig.KeyExpired || c.Kind != autoconfig.Synced && len(h.readers) == 0 {
		h.start = start{} // no event tells of it
	}
	switch {
	case c.Kind == autoconfig.Synced && !h.ready:
		h.ready = true
		h.append(&event{put: h.state.put()}) // for the readers that wait
	case c.Kind == autoconfig.Synced:
		h.tellOmissions()
	case !h.ready || len(h.readers) == 0:
	case needsPut(&c) || len(h.deleted) >= diff.DefaultMaxTombstones:
		h.omissions[subject] = struct{}{}
		select {
		case h.owed <- struct{}{}:
		default:
		}
	default:
		if e := encodeChange(&c); e != nil {
			h.encoded(c.Kind)
			h.append(e)
			h.remember(&c)
		}
	}
	return true
}

// remember records what readers remember of a change that they were told of. The caller holds h.mu.
func (h *Hub) remember(c *autoconfig.Change) {
	switch c.Kind {
	case autoconfig.EnvironmentDeleted, autoconfig.FilterDeleted:
		h.deleted[c.Subject()] = c.Version
	default:
		delete(h.deleted, c.Subject())
	}
}

// forgotten reports whether a change adds an item of a version that readers refuse, because they remember a delete that the
// client has forgotten: a put of the service has omitted an item that was deleted already, which is no change. A put without
// the item makes readers forget, too.
func (h *Hub) forgotten(c *autoconfig.Change) bool {
	version, ok := h.deleted[c.Subject()]
	return ok && (c.New != nil && c.New.Version <= version || c.NewFilter != nil && c.NewFilter.Version <= version)
}

// tellOmissions gives all readers a put if there are omissions. The caller holds h.mu.
func (h *Hub) tellOmissions() {
	if len(h.omissions) > 0 {
		clear(h.omissions)
		h.append(&event{put: h.state.put()})
	}
}

// append adds an event for the readers, if there are any. The caller holds h.mu.
func (h *Hub) append(e *event) {
	if len(h.readers) > 0 {
		h.extend(e)
	}
	if e.put != nil {
		clear(h.deleted)
		h.start = start{e.put, h.tail}
	} else if p := h.start.put; p != nil && h.tail.end-h.start.at.end > p.serves(h.settings.MaxBacklog) {
		h.start = start{}
	}
}

// extend adds an event to the log, wakes the readers that wait, and cuts off those that lag. The caller holds h.mu.
func (h *Hub) extend(e *event) {
	e.end = h.tail.end + uint64(e.size(h.settings.MaxBacklog))
	h.tail.next.Store(e)
	h.tail = e
	if h.more != nil {
		close(h.more)
		h.more = nil
	}
	if e.end < h.due {
		return
	}
	h.due = math.MaxUint64
	for _, r := range h.readers {
		if due := h.dueOf(r); e.end >= due {
			r.cut(errLagging)
		} else {
			h.due = min(h.due, due)
		}
	}
}

// dueOf returns the end of the log at which a reader exceeds its backlog.
func (h *Hub) dueOf(r *reader) uint64 {
	return r.at.Load().end + uint64(h.settings.MaxBacklog) + 1
}

// tick sends heartbeats, and the omissions that no Synced follows.
func (h *Hub) tick(ctx context.Context) {
	ticker := time.NewTicker(h.settings.Heartbeat)
	defer ticker.Stop()
	var delay <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.owed:
			delay = time.After(omissionDelay)
		case <-delay:
			h.mu.Lock()
			h.tellOmissions()
			h.mu.Unlock()
		case <-ticker.C:
			h.mu.Lock()
			current := h.start.at == h.tail
			h.append(&event{v1: heartbeat, v2: heartbeat})
			if current && h.start.put != nil {
				h.start.at = h.tail // newcomers need no old heartbeats
			}
			h.mu.Unlock()
		}
	}
}

// refuse lets no new readers in, and returns those that there are. The first reason counts. The caller holds h.mu.
func (h *Hub) refuse(why error) []*reader {
	if h.over == nil {
		h.over = why
	}
	return slices.Clone(h.readers)
}

// end ends the streams of all readers at once.
func (h *Hub) end(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.refuse(why) {
		r.cut(why)
	}
}

// Shutdown ends the hub gracefully: it lets no new readers in, with status 503, and ends the streams of those that there are
// one after the other, spread over Options.Spread. Readers that leave by themselves make it shorter. Then it does what Close
// does, and returns nil. If ctx ends first, it returns the context's cause and leaves the rest of the readers to Close, which
// must be called then.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mustBeMade().mu.Lock()
	readers := h.refuse(errShutdown)
	h.mu.Unlock()
	for i, r := range readers {
		if i > 0 {
			select {
			case <-time.After(h.settings.Spread / time.Duration(len(readers))):
			case <-r.gone:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		r.cancel(errShutdown)
	}
	for _, r := range readers {
		select {
		case <-r.gone:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	h.Close()
	return nil
}

// SetKeys replaces Options.Keys for the requests that follow, so that rotating a key needs no restart. Streams that are
// open stay open. The error is an *autoconfig.OptionError, and the keys stay as they were then.
func (h *Hub) SetKeys(keys []autoconfig.AutoConfigKey) error {
	return h.mustBeMade().settings.setKeys(keys)
}

// Close ends the hub at once, and the streams of all readers. When it has returned, their handlers have, and the hub's
// goroutines are gone. It does not close the client. Close is idempotent. It must not be called from within ServeHTTP.
func (h *Hub) Close() {
	h.mustBeMade().end(errClosed)
	h.cancel()
	h.running.Wait()
}

// mustBeMade returns h. It panics if h is the zero Hub.
func (h *Hub) mustBeMade() *Hub {
	if h.settings == nil {
		panic("hub: zero Hub: New makes one")
	}
	return h
}

// String returns a description without keys.
func (h *Hub) String() string {
	if h.settings == nil {
		return "hub.Hub(zero)"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("hub.Hub(%d readers)", len(h.readers))
}

// Format implements fmt.Formatter with String for every verb, because a hub holds keys.
func (h *Hub) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }
