package cli

import (
	"errors"
	"io"
	"log/slog"
)

// A Log is how the log is written, as flags say.
type Log struct {
	format, level choice
}

// Register adds the flags. level is the default.
func (l *Log) Register(f *Flags, level string) {
	l.format = choice{"text", []string{"text", "json"}}
	l.level = choice{level, []string{"debug", "info", "warn", "error", "off"}}
	f.Var(&l.format, "log-format", "`FORMAT` of the log on standard error: text or json")
	f.Var(&l.level, "log-level", "least `LEVEL` that is logged: debug, info, warn, error, or off")
}

// SetLevel sets the level. It must be one of those that the flag allows.
func (l *Log) SetLevel(level string) { l.level.value = level }

// JSON reports whether the log is JSON.
func (l *Log) JSON() bool { return l.format.value == "json" }

// Logger returns a logger that writes to w.
func (l *Log) Logger(w io.Writer) *slog.Logger {
	options := new(slog.HandlerOptions)
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level.value)); err != nil { // off
		return slog.New(slog.DiscardHandler)
	}
	options.Level = level
	if l.JSON() {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// A choice is the value of a flag that takes one of several words.
type choice struct {
	value string
	words []string
}

var errNotAChoice = errors.New("not one of the words allowed")

func (c *choice) String() string { return c.value }

func (c *choice) Set(value string) error {
	for _, word := range c.words {
		if value == word {
			c.value = value
			return nil
		}
	}
	return errNotAChoice
}
