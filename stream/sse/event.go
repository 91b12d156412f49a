// Package sse reads server-sent events: a parser, and one HTTP connection as an observable.
package sse

import "time"

// An Event is one dispatched server-sent event.
type Event struct {
	// Type is the event's name, "message" if the stream named none.
	Type string
	// Data is the payload, its lines joined by LF. It is borrowed: valid until the next iteration,
	// like the result of bufio.Scanner.Bytes; Clone keeps it.
	Data []byte
	// LastEventID is the last event ID of the stream when this event was dispatched.
	LastEventID string
	// Retry is the last valid reconnection time inside the event's block, negative if there was none.
	Retry time.Duration
}

// Clone returns the event with Data in memory of its own.
func (e Event) Clone() Event {
	e.Data = append([]byte{}, e.Data...)
	return e
}
