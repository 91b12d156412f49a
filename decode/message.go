package decode

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// A Kind tells what a message does.
type Kind uint8

const (
	// Ignored messages change nothing; Message.Err tells why.
	Ignored Kind = iota
	// Put messages provide everything there is: Message.Put.
	Put
	// Patch messages add or change one item: Message.Environment or Message.Filter.
	Patch
	// Delete messages remove one item: Message.Environment or Message.Filter.
	Delete
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{Ignored: "ignored", Put: PutEvent, Patch: PatchEvent, Delete: DeleteEvent}
	if int(k) >= len(names) {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return names[k]
}

// A Message is what one event says. It owns all that it refers to, and is not modified after it
// was passed on.
type Message struct {
	// Kind tells which of the other fields are set.
	Kind Kind
	// Put is what a Put provides.
	Put *Listing
	// Environment is the subject of a Patch or Delete of an environment; its ID is empty otherwise.
	Environment EnvironmentEntry
	// Filter is the subject of a Patch or Delete of a filter; its ID is empty otherwise.
	Filter FilterEntry
	// Err tells why the message is Ignored. It is an *IgnoredError.
	Err error
}

// A Listing is the content of a Put: all items there are, in the order of the wire. Of two entries
// with the same ID the later one counts.
type Listing struct {
	Environments []EnvironmentEntry
	Filters      []FilterEntry
	// FiltersErr tells why the filters could not be read as a whole; what was known of them stays.
	FiltersErr error
	// Cached tells that the listing does not come from the server but from a saved state.
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
	// Version is the item's version, or that of its deletion.
	Version int
	// Rep is the item. It is nil in a Delete, in an entry with an Err, and in one that Options.Known
	// tells to be outdated.
	Rep *Rep
	// Err tells why the entry must not be used: an *IgnoredError or a *RefusedError. An entry of a
	// Put with an Err still counts as listed.
	Err error
}

// String returns what m does in a few words, without keys.
func (m Message) String() string {
	switch {
	case m.Kind == Ignored:
		return fmt.Sprintf("%v: %v", m.Kind, m.Err)
	case m.Put != nil:
		return fmt.Sprintf("%v of %v", m.Kind, *m.Put)
	case m.Filter.ID != "":
		return fmt.Sprintf("%v of filter %v", m.Kind, m.Filter)
	default:
		return fmt.Sprintf("%v of environment %v", m.Kind, m.Environment)
	}
}

// String returns how much is listed.
func (l Listing) String() string {
	return fmt.Sprintf("%d environments, %d filters", len(l.Environments), len(l.Filters))
}

// String returns the ID and the version, or why the entry must not be used.
func (e Entry[ID, Rep]) String() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", string(e.ID), e.Err)
	}
	return fmt.Sprintf("%s version %d", string(e.ID), e.Version)
}

// Format implements fmt.Formatter with String for every verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// Format implements fmt.Formatter with String for every verb.
func (l Listing) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, l.String()) }

// Format implements fmt.Formatter with String for every verb.
func (e Entry[ID, Rep]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.String()) }

// LogValue implements slog.LogValuer with String.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// LogValue implements slog.LogValuer with String.
func (l Listing) LogValue() slog.Value { return slog.StringValue(l.String()) }

// LogValue implements slog.LogValuer with String.
func (e Entry[ID, Rep]) LogValue() slog.Value { return slog.StringValue(e.String()) }
