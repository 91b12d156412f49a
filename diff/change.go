package diff

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/enum"
)

// A Kind tells what has changed.
type Kind uint8

const (
	// EnvironmentAdded reports that Change.New exists. It was unknown or deleted before.
	EnvironmentAdded Kind = iota + 1
	// EnvironmentUpdated reports that Change.New replaces Change.Old. It may stand for more until it is
	// split; see Change.Split.
	EnvironmentUpdated
	// EnvironmentDeleted reports that Change.Old is gone.
	EnvironmentDeleted
	// FilterAdded reports that Change.NewFilter exists.
	FilterAdded
	// FilterUpdated reports that Change.NewFilter replaces Change.OldFilter.
	FilterUpdated
	// FilterDeleted reports that Change.OldFilter is gone.
	FilterDeleted
	// KeyExpired reports that the environment Change.New no longer accepts Change.Key. Until it is split
	// it may stand for several keys, and Change.Key is nil; see Change.Split.
	KeyExpired
	// Synced reports that all changes of a complete configuration have been emitted.
	Synced
)

// String returns the kind in words, such as "environment added".
func (k Kind) String() string {
	return enum.Name("Kind", k, []string{
		EnvironmentAdded: "environment added", EnvironmentUpdated: "environment updated", EnvironmentDeleted: "environment deleted",
		FilterAdded: "filter added", FilterUpdated: "filter updated", FilterDeleted: "filter deleted",
		KeyExpired: "key expired", Synced: "synced",
	})
}

// MarshalText implements encoding.TextMarshaler with String, so that JSON shows the kind in words.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Change is one difference between two states: a small value, free to copy. What it points to is
// shared and must not be modified.
type Change struct {
	// Kind tells which of the other fields are set.
	Kind Kind
	// Cached is set for Synced if the configuration is a saved one and not the server's.
	Cached bool
	// Partial is set for Synced if the put listed items that could not be used. What was known of them stays.
	Partial bool
	// Omitted is set for EnvironmentDeleted and FilterDeleted if a put omitted the item, or an Omit says so. Its
	// version is forgotten then: the same version may be added again.
	Omitted bool
	// several is set if Split may yield anything but the change itself.
	several bool
	// Version is the version of the delete, for EnvironmentDeleted and FilterDeleted that are not Omitted.
	Version int
	// Old and New are the environment before and after. For KeyExpired they may be equal.
	Old, New *decode.EnvironmentRep
	// OldFilter and NewFilter are the filter before and after.
	OldFilter, NewFilter *Filter
	// Key is the key that expired, for KeyExpired.
	Key *Key
}

// A Filter is a payload filter with its ID.
type Filter struct {
	ID decode.FilterID
	decode.FilterRep
}

// A Key is an SDK key or a mobile key of an environment.
type Key = decode.Key

// A Subject is what a change is about. Changes of one subject compose.
type Subject struct {
	// Environment is the environment's ID. It is empty if the subject is not an environment.
	Environment decode.EnvironmentID
	// Filter is the filter's ID. It is empty if the subject is not a filter. Both IDs are empty for Synced.
	Filter decode.FilterID
}

// Subject returns what c is about.
func (c Change) Subject() Subject {
	switch {
	case c.New != nil:
		return Subject{Environment: c.New.EnvID}
	case c.Old != nil:
		return Subject{Environment: c.Old.EnvID}
	case c.NewFilter != nil:
		return Subject{Filter: c.NewFilter.ID}
	case c.OldFilter != nil:
		return Subject{Filter: c.OldFilter.ID}
	}
	return Subject{}
}

// String returns one line that describes c, without secrets.
func (c Change) String() string {
	switch c.Kind {
	case EnvironmentAdded, EnvironmentUpdated:
		return fmt.Sprintf("%v: %s", c.Kind, describe(c.New))
	case EnvironmentDeleted:
		return fmt.Sprintf("%v: %s", c.Kind, describe(c.Old))
	case FilterAdded, FilterUpdated:
		return fmt.Sprintf("%v: %s", c.Kind, c.NewFilter)
	case FilterDeleted:
		return fmt.Sprintf("%v: %s", c.Kind, c.OldFilter)
	case KeyExpired:
		if c.Key == nil {
			return fmt.Sprintf("keys expired: %s", describe(c.New))
		}
		return fmt.Sprintf("%v: %s of %s", c.Kind, c.Key, describe(c.New))
	case Synced:
		if c.Cached {
			return "synced from cache"
		}
	}
	return c.Kind.String()
}

func describe(e *decode.EnvironmentRep) string {
	if e == nil {
		return "none"
	}
	return fmt.Sprintf("%s (%s %s) version %d", plain(string(e.EnvID)), plain(e.ProjName), plain(e.EnvName), e.Version)
}

// String returns one line that describes the filter.
func (f *Filter) String() string {
	if f == nil {
		return "none"
	}
	return fmt.Sprintf("%s (%s %s) version %d", plain(string(f.ID)), plain(f.ProjKey), plain(f.FilterKey), f.Version)
}

// plain returns s, in quotes if it contains anything that Go would escape, such as a line feed.
func plain(s string) string {
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted
	}
	return s
}

// Format implements fmt.Formatter with String for every verb, because package fmt would show the keys
// behind the pointers for some.
func (c Change) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue implements slog.LogValuer with String.
func (c Change) LogValue() slog.Value { return slog.StringValue(c.String()) }
