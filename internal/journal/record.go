package journal

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/disconnect"
	"github.com/relaystream/autoconfig/internal/quote"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Note records a line that no other method writes.
func (j *Journal) Note(level slog.Level, message string, attrs ...slog.Attr) {
	if j.enabled(level) {
		j.add(note{level: level, message: message, attrs: attrs})
	}
}

// Change records a change of the state, as the state emits it: a change that stands for several is split
// when it is written. The log of keys that will expire and have expired is made of the changes, too.
func (j *Journal) Change(c diff.Change) {
	if !j.silent {
		j.recordChange(c)
	}
}

func (j *Journal) recordChange(c diff.Change) {
	level := slog.LevelInfo
	if c.Kind == diff.KeyExpired {
		level = slog.LevelWarn
	}
	if j.enabled(level) || touchesKeys(c) && j.enabled(slog.LevelWarn) {
		j.add(note{level: level, message: c.Kind.String(), change: c})
	}
}

// Stale records that the state ignored a message about s, whose version is not newer than what is known.
func (j *Journal) Stale(s diff.Subject, version int) {
	if j.silent || !j.enabled(slog.LevelDebug) {
		return
	}
	item := named("environment", string(s.Environment))
	if s.Filter != "" {
		item = named("filter", string(s.Filter))
	}
	j.Note(slog.LevelDebug, "ignored: version is not newer", item, slog.Int("version", version))
}

// Event records that an event was received. A name that does not look like one is left out.
func (j *Journal) Event(name string) {
	if !j.silent {
		j.recordEvent(name)
	}
}

func (j *Journal) recordEvent(name string) {
	if !j.enabled(slog.LevelDebug) {
		return
	}
	if !quote.IsName(name) {
		name = ""
	}
	j.Note(slog.LevelDebug, "received event", slog.String("event", name))
}

// maxName is how much of a name that the server chose is logged, in bytes. It may have megabytes.
const maxName = 256

// named returns an attribute with a name that the server chose.
func named(key, name string) slog.Attr {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "…" // without a part of a character at the end
	}
	return slog.String(key, name)
}

// Message records what m says that the changes it makes do not tell: the size of a put, and what is
// ignored or refused.
func (j *Journal) Message(m *decode.Message) {
	switch m.Kind {
	case decode.Ignored:
		j.ignored(m.Err)
	case decode.Put:
		j.listing(m.Put)
	case decode.Patch:
		j.ignored(m.Environment.Err)
		j.ignored(m.Filter.Err)
	}
}

func (j *Journal) listing(l *decode.Listing) {
	if l == nil { // a source may send that
		return
	}
	if j.enabled(slog.LevelInfo) {
		j.Note(slog.LevelInfo, "received configuration",
			slog.Int("environments", l.Len()), slog.Int("filters", len(l.Filters)))
	}
	for i := range l.Environments {
		j.ignored(l.Environments[i].Err)
	}
	for i := range l.Filters {
		j.ignored(l.Filters[i].Err)
	}
	j.ignored(l.FiltersErr)
}

// ignored records why a message or an entry of one is not used, unless err is nil.
func (j *Journal) ignored(err error) {
	if err == nil {
		return // before the variable below, which is on the heap
	}
	level, message := slog.LevelWarn, "message ignored"
	var refused *decode.RefusedError
	switch {
	case errors.As(err, &refused):
		level, message = slog.LevelError, "environment refused"
	case disconnect.Unusable(err):
		level, message = slog.LevelError, "configuration can't be used"
	case errors.Is(err, decode.ErrUnknownPath):
		level = slog.LevelDebug
	case errors.Is(err, decode.ErrPutPath):
		level = slog.LevelInfo
	}
	j.Note(level, message, slog.Any("error", err))
}

// Connecting records that an attempt to connect to a URL begins, or to Options.Source if address is empty. Only the
// scheme, host and path are logged: the rest may be secret.
func (j *Journal) Connecting(address string) {
	switch {
	case !j.enabled(slog.LevelInfo):
	case address == "":
		j.Note(slog.LevelInfo, "connecting to the source")
	default:
		j.Note(slog.LevelInfo, "connecting", slog.String("url", public(address)))
	}
}

// public returns the parts of a URL that are not secret, or nothing if it is not valid.
func public(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return u.String()
}

// Opened records that the attempt to connect has led to a stream of events. It writes no line.
func (j *Journal) Opened() { j.opened.Store(true) }

// Lost records that a connection, or an attempt to make one, ended with err. The next attempt follows after
// delay, or none if delay is negative.
func (j *Journal) Lost(err error, delay time.Duration) {
	level, message := lost(err, j.opened.Swap(false))
	if delay < 0 {
		j.Note(slog.LevelError, message+"; giving up", slog.Any("error", err))
		return
	}
	j.Note(level, message, slog.Any("error", err), slog.Duration("retry_in", delay))
}

// lost describes the end of an attempt that was open, or was not.
func lost(err error, open bool) (level slog.Level, message string) {
	switch disconnect.ReasonOf(err) {
	case disconnect.Requested:
		return slog.LevelInfo, "reconnecting at the server's request"
	case disconnect.Malformed:
		if errors.Is(err, sse.ErrEventTooLarge) {
			return slog.LevelError, "event too large"
		}
		return slog.LevelError, "malformed event"
	case disconnect.Refused:
		return slog.LevelError, "environment refused"
	case disconnect.Rejected:
		return slog.LevelError, "auto-configuration key rejected"
	}
	if !open {
		return slog.LevelWarn, "connection failed"
	}
	return slog.LevelWarn, "connection lost"
}
