package journal

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// maxKeyLines is how many expiring or expired keys of one change get a line.
const maxKeyLines = 32

// A writer writes notes as lines.
type writer struct {
	journal *Journal
	left    int // the notes and lines that were left out because of Close
}

// write writes a note. It never stops the notes.
func (w *writer) write(n note) bool {
	switch {
	case !w.journal.open():
		w.left += n.count()
	case n.more > 0:
		w.merged(n)
	case n.change.Kind != 0:
		w.change(n)
	default:
		w.line(n.at, n.level, n.message, n.attrs...)
	}
	if !n.shared {
		w.journal.waiting.Add(-1)
	}
	return true
}

// merged writes how many events a note stands for.
func (w *writer) merged(n note) {
	w.more(n.at, n.level, n.more, n.message, n.attrs...)
	if n.keyed > 0 {
		w.more(n.at, slog.LevelWarn, n.keyed, "environment with keys that expire")
	}
}

// change writes the changes that the note's stands for.
func (w *writer) change(n note) {
	expired := 0
	for c := range n.change.Split {
		if c.Kind == diff.KeyExpired {
			expired++
		}
		if expired <= maxKeyLines {
			w.part(n.at, c)
		}
	}
	if expired > maxKeyLines {
		w.more(n.at, slog.LevelWarn, expired-maxKeyLines, diff.KeyExpired.String(), environment(n.change.New)...)
	}
}

// part writes one change.
func (w *writer) part(at time.Time, c diff.Change) {
	message := c.Kind.String()
	switch c.Kind {
	case diff.EnvironmentAdded, diff.EnvironmentUpdated:
		w.line(at, slog.LevelInfo, message, environment(c.New)...)
		w.announce(at, c)
	case diff.EnvironmentDeleted:
		w.line(at, slog.LevelInfo, message, environment(c.Old)...)
	case diff.FilterAdded, diff.FilterUpdated:
		w.line(at, slog.LevelInfo, message, filter(c.NewFilter)...)
	case diff.FilterDeleted:
		w.line(at, slog.LevelInfo, message, filter(c.OldFilter)...)
	case diff.KeyExpired:
		w.line(at, slog.LevelWarn, message, append(environment(c.New), slog.String("key", c.Key.String()))...)
	case diff.Synced:
		w.line(at, slog.LevelInfo, message, slog.Bool("cached", c.Cached))
	}
}

// announce writes which keys will expire that were not known to.
func (w *writer) announce(at time.Time, c diff.Change) {
	const message = "key will expire"
	keys := announced(c.Old, c.New)
	for _, k := range keys[:min(len(keys), maxKeyLines)] {
		w.line(at, slog.LevelWarn, message,
			append(environment(c.New), slog.String("key", k.String()), slog.Time("at", k.Expiry))...)
	}
	if n := len(keys) - maxKeyLines; n > 0 {
		w.more(at, slog.LevelWarn, n, message, environment(c.New)...)
	}
}

// more writes one line instead of n with the same message.
func (w *writer) more(at time.Time, level slog.Level, n int, message string, attrs ...slog.Attr) {
	w.line(at, level, strconv.Itoa(n)+" more: "+message, append(attrs, slog.Int("more", n))...)
}

// line writes a line, if its level is enabled and there is time.
func (w *writer) line(at time.Time, level slog.Level, message string, attrs ...slog.Attr) {
	if !w.journal.enabled(level) {
		return
	}
	if !w.journal.open() {
		w.left++
		return
	}
	w.handle(at, level, message, attrs...)
}

func (w *writer) handle(at time.Time, level slog.Level, message string, attrs ...slog.Attr) {
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(attrs...)
	// There is nowhere to report that a line could not be written.
	_ = w.journal.handler.Handle(context.Background(), r)
}

// finish writes how much was left out at the end.
func (w *writer) finish() {
	if w.left > 0 && w.journal.enabled(slog.LevelWarn) && !w.journal.closed() {
		w.handle(time.Now(), slog.LevelWarn, "lines left out at the end", slog.Int("more", w.left))
	}
}

func environment(e *decode.EnvironmentRep) []slog.Attr {
	return []slog.Attr{
		named("environment", string(e.EnvID)), named("project", e.ProjName),
		named("name", e.EnvName), slog.Int("version", e.Version),
	}
}

func filter(f *diff.Filter) []slog.Attr {
	return []slog.Attr{
		named("filter", string(f.ID)), named("project", f.ProjKey), slog.Int("version", f.Version),
	}
}
