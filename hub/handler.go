package hub

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/internal/request"
)

// retryAfter is how many seconds a reader that comes at the wrong time should wait. Clients add something random.
const retryAfter = 5

// ServeHTTP serves the stream to one reader until that leaves or the hub ends the stream. It refuses a
// request with status
//
//   - 404 if its path does not end with /relay_auto_config, which readers append to their base URI
//   - 405 if its method is not GET
//   - 406 if it does not accept text/event-stream
//   - 401 if it has none of Options.Keys in its Authorization header
//   - 400 if rpacProtocolVersion in its query is not a positive number
//   - 429 if there are too many readers with its address
//   - 503 if there are too many readers, or no configuration yet with Options.RefuseUntilReady, or the hub or its client
//     has ended
//   - 500 if w lacks the methods that http.ResponseController needs to flush and to set deadlines
//
// It lifts the server's ReadTimeout and WriteTimeout from the stream. ServeHTTP takes over an HTTP/1.1 connection if w is an
// http.Hijacker, and returns at once then: the hub writes the stream on a goroutine of its own, and http.Server no longer knows of it.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	version, status := h.mustBeMade().check(r)
	if status != 0 {
		h.reject(w, r, status)
		return
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Time{}) != nil || control.SetWriteDeadline(time.Time{}) != nil {
		h.reject(w, r, http.StatusInternalServerError)
		return
	}
	reader := &reader{
		hub: h, sink: response{w, control}, gone: make(chan struct{}), address: addressOf(r),
		about: Reader{Address: r.RemoteAddr, Since: time.Now(), ProtocolVersion: version, UserAgent: brief(r.UserAgent())},
	}
	reader.ctx, reader.cancel = context.WithCancelCause(context.Background())
	if status := h.join(reader); status != 0 {
		h.reject(w, r, status)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-cache, no-transform")
	header.Set("X-Accel-Buffering", "no") // or nginx holds events back
	if r.ProtoMajor == 1 && r.ProtoMinor == 1 && reader.takeOver(w) {
		return
	}
	defer h.running.Done()
	defer context.AfterFunc(r.Context(), func() { reader.cancel(errLeft) })()
	reader.run() // the first flush sends the header
}

// check returns the protocol version that the reader asks for, or the status to refuse it with.
func (h *Hub) check(r *http.Request) (version, status int) {
	if !strings.HasSuffix(r.URL.Path, request.Path) {
		return 0, http.StatusNotFound
	}
	return request.Check(r, h.authorized)
}

// authorized reports whether there is one header and it has one of the keys. How long that takes tells nothing of them.
func (h *Hub) authorized(authorization []string) bool {
	if len(authorization) != 1 {
		return false
	}
	sum, found := sha256.Sum256([]byte(authorization[0])), 0
	for _, key := range *h.settings.keys.Load() {
		found |= subtle.ConstantTimeCompare(sum[:], key[:])
	}
	return found == 1
}

// addressOf returns the IP address of the request's connection, the zero address if it has none.
func addressOf(r *http.Request) netip.Addr {
	port, _ := netip.ParseAddrPort(r.RemoteAddr)
	return port.Addr().Unmap()
}

// brief returns s, cut if it is long.
func brief(s string) string {
	const long = 100
	return strings.Clone(s[:min(len(s), long)])
}

// join makes a reader one of the hub's, or returns the status to refuse it with.
func (h *Hub) join(r *reader) (status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	limit := h.settings.MaxReadersPerAddress
	switch {
	case h.over != nil || !h.ready && h.settings.RefuseUntilReady || len(h.readers) >= h.settings.MaxReaders:
		return http.StatusServiceUnavailable
	case limit > 0 && h.addresses[r.address] >= limit:
		return http.StatusTooManyRequests
	}
	h.tellOmissions() // which the put that r begins with lacks already
	at := h.tail
	if h.ready {
		if h.start.put == nil {
			h.start = start{h.state.put(), h.tail}
		}
		r.first, at = h.start.put, h.start.at
	}
	r.at.Store(at)
	h.due = min(h.due, h.dueOf(r))
	r.index = len(h.readers)
	h.readers = append(h.readers, r)
	h.addresses[r.address]++
	h.running.Add(1)
	h.counts.Served++
	return 0
}

// leave makes a reader no longer one of the hub's. why is the reason. The caller calls running.Done when all is done.
func (h *Hub) leave(r *reader, why error) {
	defer h.logDeparture(r, why)
	defer close(r.gone)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.departed(why)
	last := len(h.readers) - 1
	h.readers[r.index] = h.readers[last]
	h.readers[r.index].index = r.index
	h.readers[last] = nil
	h.readers = h.readers[:last]
	if h.addresses[r.address]--; h.addresses[r.address] == 0 {
		delete(h.addresses, r.address)
	}
	if last == 0 {
		h.due = math.MaxUint64
	}
}
