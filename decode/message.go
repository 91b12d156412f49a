package decode

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/relaystream/autoconfig/internal/enum"
	"github.com/relaystream/autoconfig/internal/quote"
)

// A Kind is the kind of a message.
type Kind uint8

const (
	// Ignored is a message that changes nothing. Message.Err says why.
	Ignored Kind = iota
	// Put is a message with the complete configuration, in Message.Put.
	Put
	// Patch is a message that adds or changes one item, Message.Environment or Message.Filter.
	Patch
	// Delete is a message that deletes one item, Message.Environment or Message.Filter.
	Delete
	// Omit is a message about one item, Message.Environment or Message.Filter, that a put omitted. Only its ID
	// counts: the item is deleted, and its version forgotten. No event says that; it is for sources of messages
	// other than events.
	Omit
	// Complete is a message that says that what came before it is a complete configuration. Unlike a Put it deletes
	// nothing: a source that may have missed a deletion begins with a Put. No event says that either.
	Complete
)

// String returns the name of the kind in lower case.
func (k Kind) String() string {
	return enum.Name("Kind", k, []string{
		Ignored: "ignored", Put: PutEvent, Patch: PatchEvent, Delete: DeleteEvent, Omit: "omit", Complete: "complete",
	})
}

// A Message is a decoded event. It does not refer to the event's data. Nothing that it points to may be modified.
//
// No verb of package fmt and no handler of package slog shows what a Message, a Listing or an Entry contains, so
// that none shows a key. encoding/json does, and so does slog.JSONHandler for a slice, a map or a struct of
// another package with one of them in it.
type Message struct {
	// Kind says which of the other fields are set.
	Kind Kind
	// Put is the configuration of a Put.
	Put *Listing
	// Environment is the subject of a Patch, Delete or Omit of an environment. Otherwise its ID is empty.
	Environment EnvironmentEntry
	// Filter is the subject of a Patch, Delete or Omit of a filter. Otherwise its ID is empty.
	Filter FilterEntry
	// Err says why the message is Ignored. It is an *IgnoredError.
	Err error
}

// A Listing is the content of a Put.
type Listing struct {
	// Environments are the environments in the order of the wire, without those in Unchanged. Of several
	// entries with the same ID the last one counts.
	Environments []EnvironmentEntry
	// Unchanged are the environments whose version is that of Options.Known, as that returned them. None of
	// them has an entry in Environments.
	Unchanged Unchanged
	// Filters are all filters in the order of the wire. Of several entries with the same ID the last one
	// counts.
	Filters []FilterEntry
	// FiltersErr is set if the filters could not be read. The filters held before stay then. It is an
	// *IgnoredError.
	FiltersErr error
	// Cached is true if the listing comes from a saved state and not from the server.
	Cached bool
}

// An EnvironmentEntry is one environment in a message.
type EnvironmentEntry = Entry[EnvironmentID, EnvironmentRep]

// A FilterEntry is one filter in a message.
type FilterEntry = Entry[FilterID, FilterRep]

// An Entry is one item in a message.
type Entry[ID EnvironmentID | FilterID, Rep any] struct {
	// ID is the ID in the message's path or map key.
	ID ID
	// Version is the version of the item or, in a Delete, of the deletion. Package diff takes that of the item from
	// Rep, unless Rep is nil.
	Version int
	// Rep is the item. It is nil in a Delete, in an entry with an Err, and in an environment's entry that is
	// older than the environment that Options.Known returns.
	Rep *Rep
	// Err says why the entry must not be used. It is an *IgnoredError or a *RefusedError. An item of a Put
	// whose entry has an Err counts as listed: it is not deleted.
	Err error
}

// String returns a short description of the message, without keys.
func (m Message) String() string {
	switch {
	case m.Kind == Ignored:
		return fmt.Sprintf("%v: %v", m.Kind, m.Err)
	case m.Kind == Complete:
		return m.Kind.String()
	case m.Put != nil:
		return fmt.Sprintf("%v of %v", m.Kind, *m.Put)
	case m.Filter.ID != "":
		return fmt.Sprintf("%v of filter %v", m.Kind, m.Filter)
	default:
		return fmt.Sprintf("%v of environment %v", m.Kind, m.Environment)
	}
}

// Len returns the number of environments.
func (l *Listing) Len() int { return len(l.Environments) + l.Unchanged.Len() }

// String returns the numbers of environments and filters.
func (l Listing) String() string {
	return fmt.Sprintf("%d environments, %d filters", l.Len(), len(l.Filters))
}

// String returns the ID, in quotes if it is not plain, with the version or the error.
func (e Entry[ID, Rep]) String() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", quote.Line(string(e.ID)), e.Err)
	}
	return fmt.Sprintf("%s version %d", quote.Line(string(e.ID)), e.Version)
}

// Format implements fmt.Formatter. Every verb prints what String returns.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// Format implements fmt.Formatter. Every verb prints what String returns.
func (l Listing) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// Format implements fmt.Formatter. Every verb prints what String returns.
func (e Entry[ID, Rep]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue implements slog.LogValuer. It returns what String returns.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// LogValue implements slog.LogValuer. It returns what String returns.
func (l Listing) LogValue() slog.Value { return slog.StringValue(l.String()) }

// LogValue implements slog.LogValuer. It returns what String returns.
func (e Entry[ID, Rep]) LogValue() slog.Value { return slog.StringValue(e.String()) }
