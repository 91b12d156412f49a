package autoconfig

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A journal writes the log of a client: what an operator should know, at the levels that operators
// of Relay expect, with stable keys.
//
// What happens to the state is noted while the state is locked and written when it is not, because a
// slow log must hold up nobody but the client's own goroutine.
type journal struct {
	log *slog.Logger

	turn  chan struct{} // holds a token while lines are noted and written, which may wait for a subscriber
	lines []line
	// noting tells that what the state reports is to be noted. The lock of the state guards it: an update
	// without the turn may take place when the level is just being changed.
	noting bool
	apply  func(emit func(Change)) // what update was given
	emit   func(Change)            // what apply is to be given, without the note
	// run and note are methods, bound once so that an update need not allocate.
	run  func(emit func(Change))
	note func(Change)
}

type line struct {
	level   slog.Level
	message string
	attrs   []slog.Attr
}

func newJournal(log *slog.Logger) *journal {
	j := &journal{log: log, turn: make(chan struct{}, 1)}
	j.run, j.note = j.runNoting, j.noteChange
	return j
}

func (j *journal) enabled(level slog.Level) bool {
	return j.log.Enabled(context.Background(), level)
}

// update is changes.Update(ctx, f) with a note of what f did.
func (j *journal) update(ctx context.Context, changes *stream.Subject[Change], f func(emit func(Change))) error {
	if !j.enabled(slog.LevelWarn) {
		return changes.Update(ctx, f) // nothing that is noted is of a higher level
	}
	select {
	case j.turn <- struct{}{}:
		defer func() { <-j.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	j.apply = f
	err := changes.Update(ctx, j.run)
	for _, l := range j.lines {
		j.log.LogAttrs(ctx, l.level, l.message, l.attrs...)
	}
	clear(j.lines)
	j.lines = j.lines[:0]
	return err
}

func (j *journal) runNoting(emit func(Change)) {
	j.emit, j.noting = emit, true
	j.apply(j.note)
	j.noting = false
}

func (j *journal) noteChange(c Change) {
	j.emit(c)
	switch c.Kind {
	case EnvironmentAdded, EnvironmentUpdated:
		j.add(slog.LevelInfo, c.Kind.String(), c.New)
	case EnvironmentDeleted:
		j.add(slog.LevelInfo, c.Kind.String(), c.Old)
	case FilterAdded, FilterUpdated:
		j.addFilter(c.Kind.String(), c.NewFilter)
	case FilterDeleted:
		j.addFilter(c.Kind.String(), c.OldFilter)
	case KeyExpired:
		for part := range c.Split {
			j.add(slog.LevelWarn, part.Kind.String(), part.New, slog.Any("key", part.Key))
		}
	case Synced:
		if j.enabled(slog.LevelInfo) {
			j.lines = append(j.lines, line{slog.LevelInfo, "synced", []slog.Attr{slog.Bool("cached", c.Cached)}})
		}
	}
}

// add notes something about an environment.
func (j *journal) add(level slog.Level, message string, e *decode.EnvironmentRep, more ...slog.Attr) {
	if j.noting && j.enabled(level) {
		attrs := []slog.Attr{
			slog.String("environment", string(e.EnvID)), slog.String("project", e.ProjName),
			slog.String("name", e.EnvName), slog.Int("version", e.Version),
		}
		j.lines = append(j.lines, line{level, message, append(attrs, more...)})
	}
}

func (j *journal) addFilter(message string, f *Filter) {
	if j.enabled(slog.LevelInfo) {
		j.lines = append(j.lines, line{slog.LevelInfo, message, []slog.Attr{
			slog.String("filter", string(f.ID)), slog.String("project", f.ProjKey), slog.Int("version", f.Version),
		}})
	}
}

// stale notes that a message was ignored. It is called by the state during an update.
func (j *journal) stale(s diff.Subject, version int) {
	if !j.noting || !j.enabled(slog.LevelInfo) {
		return
	}
	attr := slog.String("environment", string(s.Environment))
	if s.Filter != "" {
		attr = slog.String("filter", string(s.Filter))
	}
	j.lines = append(j.lines, line{slog.LevelInfo, "ignored: version is not newer", []slog.Attr{attr, slog.Int("version", version)}})
}

// connecting writes that an attempt begins.
func (j *journal) connecting(address string) {
	if !j.enabled(slog.LevelInfo) {
		return
	}
	if u, err := url.Parse(address); err == nil {
		// A user, a password or a query may be secrets.
		u.User, u.RawQuery = nil, ""
		j.log.Info("connecting", "url", u.String())
	}
}

// message writes what a message says that goes beyond the changes it makes.
func (j *journal) message(m *decode.Message) {
	switch m.Kind {
	case decode.Ignored:
		j.ignored(m.Err)
	case decode.Put:
		j.log.Info("received configuration", "environments", len(m.Put.Environments), "filters", len(m.Put.Filters))
		for i := range m.Put.Environments {
			j.ignored(m.Put.Environments[i].Err)
		}
		for i := range m.Put.Filters {
			j.ignored(m.Put.Filters[i].Err)
		}
		j.ignored(m.Put.FiltersErr)
	}
}

// ignored writes why a message or an entry of one was passed over, if err is not nil.
func (j *journal) ignored(err error) {
	if err == nil {
		return // before the variable below, which is on the heap
	}
	var refused *decode.RefusedError
	switch {
	case errors.As(err, &refused):
		j.log.Error("environment refused", "error", err)
	case errors.Is(err, decode.ErrUnknownPath):
		j.log.Debug("message ignored", "error", err)
	case errors.Is(err, decode.ErrPutPath):
		j.log.Info("message ignored", "error", err)
	default:
		j.log.Warn("message ignored", "error", err)
	}
}

// failed writes why a connection ended and what follows.
func (j *journal) failed(err error, delay time.Duration) {
	level, message := slog.LevelWarn, "connection lost"
	var malformed *decode.MalformedError
	var refused *decode.RefusedError
	switch {
	case errors.Is(err, decode.ErrReconnect):
		level, message = slog.LevelInfo, "reconnecting at the server's request"
	case errors.As(err, &malformed):
		level, message = slog.LevelError, "malformed event"
	case errors.Is(err, sse.ErrEventTooLarge):
		level, message = slog.LevelError, "event too large"
	case errors.As(err, &refused):
		level, message = slog.LevelError, "environment refused"
	case rejected(err):
		level, message = slog.LevelError, "auto-configuration key rejected"
	}
	if delay < 0 {
		j.log.Error(message+"; giving up", "error", err)
		return
	}
	j.log.Log(context.Background(), level, message, "error", err, "retry_in", delay)
}
