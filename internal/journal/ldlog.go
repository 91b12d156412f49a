package journal

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
)

// LDLogger returns a logger that writes to loggers, with the prefix that Relay gives this component.
func LDLogger(loggers ldlog.Loggers) *slog.Logger {
	if loggers.GetMinLevel() >= ldlog.None {
		return slog.New(slog.DiscardHandler)
	}
	loggers.SetPrefix("AutoConfiguration:")
	return slog.New(&ldHandler{loggers: loggers, minimum: loggers.GetMinLevel()})
}

// An ldHandler is an slog.Handler that writes a record as one line: the message, and the attributes
// as key=value, with quotes where slog.TextHandler has them.
type ldHandler struct {
	loggers ldlog.Loggers
	minimum ldlog.LogLevel
	prefix  string // of keys: the groups that are open
	attrs   string // those of WithAttrs, formatted
}

func ldLevel(level slog.Level) ldlog.LogLevel {
	switch {
	case level >= slog.LevelError:
		return ldlog.Error
	case level >= slog.LevelWarn:
		return ldlog.Warn
	case level >= slog.LevelInfo:
		return ldlog.Info
	default:
		return ldlog.Debug
	}
}

func (h *ldHandler) Enabled(_ context.Context, level slog.Level) bool {
	return ldLevel(level) >= h.minimum
}

func (h *ldHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		h.write(&b, a)
		return true
	})
	h.loggers.ForLevel(ldLevel(r.Level)).Println(b.String())
	return nil
}

func (h *ldHandler) write(b *strings.Builder, a slog.Attr) {
	b.WriteByte(' ')
	b.WriteString(h.prefix)
	b.WriteString(a.Key)
	b.WriteByte('=')
	b.WriteString(quoted(a.Value.Resolve().String()))
}

// quoted returns a value as slog.TextHandler writes it, so that names from outside can't pass for other
// attributes, or for lines of the log.
func quoted(value string) string {
	apart := func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r) // invalid UTF-8 is a RuneError
	}
	if value == "" || strings.ContainsFunc(value, apart) {
		return strconv.Quote(value)
	}
	return value
}

func (h *ldHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		h.write(&b, a)
	}
	next := *h
	next.attrs += b.String()
	return &next
}

func (h *ldHandler) WithGroup(name string) slog.Handler {
	next := *h
	if name != "" {
		next.prefix += name + "."
	}
	return &next
}
