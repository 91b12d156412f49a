package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/diff"
)

// A Reader describes one that reads now.
type Reader struct {
	// Address is the network address of its connection, with the port.
	Address string
	// UserAgent is the header of that name, or its beginning if it is long.
	UserAgent string
	// ProtocolVersion is what the reader asked for: 1 for environments only, more for filters, too.
	ProtocolVersion int
	// Since is when it came.
	Since time.Time
	// Lag is how many bytes of changes wait for it; see Options.MaxBacklog.
	Lag int
}

// Stats describes a hub.
type Stats struct {
	// Ready is true once there is a configuration, a cached one included.
	Ready bool
	// Readers is how many read now.
	Readers int
	// Served counts the streams begun, and Refused the requests refused.
	Served  uint64
	Refused Refused
	// Lagging counts the readers cut off because of Options.MaxBacklog, and TimedOut those because of Options.WriteTimeout.
	Lagging, TimedOut uint64
	// Puts counts the puts encoded, Patches and Deletes the other events.
	Puts, Patches, Deletes uint64
	// Bytes counts the bytes of events written, without HTTP's framing.
	Bytes uint64
}

// Refused counts requests by the reason for which they were refused; see Hub.ServeHTTP.
type Refused struct {
	// Unauthorized counts the wrong keys, and Malformed what is no request for the stream.
	Unauthorized, Malformed uint64
	// Unavailable counts status 503 for any reason, and Address those over Options.MaxReadersPerAddress.
	Unavailable, Address uint64
	// Failed counts status 500.
	Failed uint64
}

// Readers describes those that read now, in no particular order.
func (h *Hub) Readers() []Reader {
	h.mustBeMade().mu.Lock()
	defer h.mu.Unlock()
	readers := make([]Reader, len(h.readers))
	for i, r := range h.readers {
		readers[i] = r.about
		readers[i].Lag = int(h.tail.end - r.at.Load().end)
	}
	return readers
}

// Stats returns the counts up to now.
func (h *Hub) Stats() Stats {
	h.mustBeMade().mu.Lock()
	defer h.mu.Unlock()
	s := h.counts
	s.Ready, s.Readers = h.ready, len(h.readers)
	s.Puts, s.Bytes = h.written.puts.Load(), h.written.bytes.Load()
	return s
}

// written counts what readers do without the hub's lock.
type written struct{ puts, bytes atomic.Uint64 }

// encoded counts an encoded change. The caller holds h.mu.
func (h *Hub) encoded(kind diff.Kind) {
	switch kind {
	case autoconfig.EnvironmentDeleted, autoconfig.FilterDeleted:
		h.counts.Deletes++
	default:
		h.counts.Patches++
	}
}

// reject answers a request with a status, counts and logs it.
func (h *Hub) reject(w http.ResponseWriter, r *http.Request, status int) {
	h.mu.Lock()
	refused := &h.counts.Refused
	switch status {
	case http.StatusUnauthorized:
		refused.Unauthorized++
	case http.StatusServiceUnavailable:
		refused.Unavailable++
	case http.StatusTooManyRequests:
		refused.Address++
	case http.StatusInternalServerError:
		refused.Failed++
	default:
		refused.Malformed++
	}
	h.mu.Unlock()
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodGet)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	http.Error(w, http.StatusText(status), status)
	h.settings.Logger.Warn("refused", slog.String("address", r.RemoteAddr), slog.Int("status", status))
}

// logArrival logs that a reader has come.
func (h *Hub) logArrival(r *reader) {
	h.settings.Logger.Info("reader came", slog.String("address", r.about.Address), slog.String("userAgent", r.about.UserAgent),
		slog.Int("protocolVersion", r.about.ProtocolVersion))
}

// departed counts that a reader is gone.
func (s *Stats) departed(why error) {
	switch {
	case errors.Is(why, errLagging):
		s.Lagging++
	case errors.Is(why, os.ErrDeadlineExceeded):
		s.TimedOut++
	}
}

// logDeparture logs that a reader is gone.
func (h *Hub) logDeparture(r *reader, why error) {
	level, reason := slog.LevelInfo, "it has left"
	switch {
	case errors.Is(why, errLagging):
		level, reason = slog.LevelWarn, "it lags"
	case errors.Is(why, os.ErrDeadlineExceeded):
		level, reason = slog.LevelWarn, "it takes nothing"
	case endedByHub(why):
		reason = "the hub has ended the stream"
	}
	h.settings.Logger.Log(context.Background(), level, "reader gone", slog.String("address", r.about.Address),
		slog.String("reason", reason), slog.Duration("after", time.Since(r.about.Since)))
}
