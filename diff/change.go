package diff

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// A Kind tells what has changed.
type Kind uint8

const (
	// EnvironmentAdded says that Change.New is there. It was unknown, or deleted before.
	EnvironmentAdded Kind = iota + 1
	// EnvironmentUpdated says that Change.New replaces Change.Old. One that was composed may stand for
	// more; see Change.Split.
	EnvironmentUpdated
	// EnvironmentDeleted says that Change.Old is gone.
	EnvironmentDeleted
	// FilterAdded says that Change.NewFilter is there.
	FilterAdded
	// FilterUpdated says that Change.NewFilter replaces Change.OldFilter.
	FilterUpdated
	// FilterDeleted says that Change.OldFilter is gone.
	FilterDeleted
	// KeyExpired says that Change.Key is no longer accepted by the environment Change.New, which
	// is Change.Old without that key; the two are the same if the environment did not name it.
	KeyExpired
	// Synced says that all changes of a complete configuration have been emitted.
	Synced
)

// String returns the kind in words, such as "environment added".
func (k Kind) String() string {
	names := [...]string{
		EnvironmentAdded: "environment added", EnvironmentUpdated: "environment updated", EnvironmentDeleted: "environment deleted",
		FilterAdded: "filter added", FilterUpdated: "filter updated", FilterDeleted: "filter deleted",
		KeyExpired: "key expired", Synced: "synced",
	}
	if int(k) >= len(names) || names[k] == "" {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return names[k]
}

// A Change is one difference between two states: a small value, free to copy. What it points to is
// shared and must not be modified.
type Change struct {
	// Kind tells which of the other fields are set.
	Kind Kind
	// Cached tells, of Synced, that the configuration is a saved one and not the server's.
	Cached bool
	// Old and New are the environment before and after.
	Old, New *decode.EnvironmentRep
	// OldFilter and NewFilter are the filter before and after.
	OldFilter, NewFilter *Filter
	// Key is what expired, of KeyExpired.
	Key *Key
}

// A Filter is a payload filter with its ID.
type Filter struct {
	ID decode.FilterID
	decode.FilterRep
}

// A Key is a credential that will expire or has expired: an SDK key or a mobile key, the other one being
// empty.
type Key struct {
	SDKKey    decode.SDKKey
	MobileKey decode.MobileKey
	// Expiry is when the key will expire, or was to expire; zero if it was never announced to.
	Expiry time.Time

	// before is the key that expired before this one, in a Change that stands for several, and all tells
	// of one that all have: the environment was deleted in between.
	before *Key
	all    bool
}

// A Subject is what a change is about. Changes of one subject compose.
type Subject struct {
	// Environment is the environment's ID, empty if the subject is another.
	Environment decode.EnvironmentID
	// Filter is the filter's ID, empty if the subject is another. Both are empty for Synced.
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
		if c.anew() {
			return fmt.Sprintf("environment deleted and added: %s", describe(c.New))
		}
		return fmt.Sprintf("%v: %s", c.Kind, describe(c.New))
	case EnvironmentDeleted:
		return fmt.Sprintf("%v: %s", c.Kind, describe(c.Old))
	case FilterAdded, FilterUpdated:
		return fmt.Sprintf("%v: %s", c.Kind, c.NewFilter)
	case FilterDeleted:
		return fmt.Sprintf("%v: %s", c.Kind, c.OldFilter)
	case KeyExpired:
		return fmt.Sprintf("%v: %s of %s", c.Kind, c.Key, describe(c.New))
	case Synced:
		if c.Cached {
			return "synced from cache"
		}
	}
	return c.Kind.String()
}

func describe(e *decode.EnvironmentRep) string {
	return fmt.Sprintf("%s (%s %s) version %d", string(e.EnvID), e.ProjName, e.EnvName, e.Version)
}

// String returns a description of the filter.
func (f *Filter) String() string {
	return fmt.Sprintf("%s (%s %s) version %d", string(f.ID), f.ProjKey, f.FilterKey, f.Version)
}

// String returns the kind of the key and its masked form.
func (k Key) String() string {
	if k.MobileKey != "" {
		return "mobile key " + k.MobileKey.String()
	}
	return "SDK key " + k.SDKKey.String()
}

// Format implements fmt.Formatter with the line that String returns for every verb: one that suits no
// pointer makes package fmt show all that a pointer leads to, keys as they are.
func (c Change) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue implements slog.LogValuer with the line that String returns, because an encoder of JSON
// would show keys.
func (c Change) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Format implements fmt.Formatter with String for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements slog.LogValuer with the masked form.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
