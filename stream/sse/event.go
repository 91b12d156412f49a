// Package sse reads server-sent events: a parser, and one HTTP connection as an observable.
//
// Scan parses any io.Reader by the rules of WHATWG HTML, section 9.2. Connect is one connection to
// a server, and ends with the reason for its end; a reconnecting source is made of it with
// stream.Retry and a Session, which carries the last event ID over. FromEventSource makes an
// observable of a stream of package eventsource.
//
// The Data of every event is borrowed until the next one is asked for; Event.Clone keeps it.
package sse

import (
	"bytes"
	"fmt"
	"log/slog"
	"time"
)

// An Event is one dispatched server-sent event. Its payload may hold secrets: every fmt verb and
// slog show the type, the length and the last event ID alone.
type Event struct {
	// Type is the event's name, "message" if the stream named none.
	Type string
	// Data is the payload, its lines joined by LF. It is borrowed: valid until the next iteration,
	// like the result of bufio.Scanner.Bytes; Clone keeps it. It is never nil in an event that was
	// dispatched.
	Data []byte
	// LastEventID is the last event ID of the stream when this event was dispatched.
	LastEventID string
	// Retry is the last valid reconnection time inside the event's block, from 0 to 1 h (longer ones
	// are shortened), negative if there was none.
	Retry time.Duration
}

// Clone returns the event with Data in memory of its own.
func (e Event) Clone() Event {
	e.Data = bytes.Clone(e.Data)
	return e
}

// Format implements fmt.Formatter without the payload, whatever the verb.
func (e Event) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{%s, %d bytes, id %q}", e.Type, len(e.Data), e.LastEventID)
}

// LogValue implements slog.LogValuer without the payload.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", e.Type), slog.Int("bytes", len(e.Data)),
		slog.String("id", e.LastEventID))
}
