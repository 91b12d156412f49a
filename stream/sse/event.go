package sse

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/relaystream/autoconfig/internal/quote"
)

// An Event is one dispatched server-sent event. Its payload may hold secrets: every fmt verb and
// slog show the type, the length and the last event ID alone.
type Event struct {
	// Type is the event's name, "message" if the stream named none. It is empty in a comment, and in
	// nothing else.
	Type string
	// Data is the payload, its lines joined by LF; of a comment, what follows the colon, a space included.
	// It belongs to the event, unless the option Borrow says otherwise. It is never nil in an event that
	// came from a stream, unless there is a Body.
	Data []byte
	// LastEventID is the last event ID of the stream when this event was dispatched.
	LastEventID string
	// Retry is the last valid reconnection time inside the event's block, from 0 to 1 h (longer ones
	// are shortened). It counts only if HasRetry is true.
	Retry    time.Duration
	HasRetry bool
	// Body, if not nil, reads the payload while it arrives, and Data is nil. There are such events only
	// where the option Pieces asks for them.
	Body io.Reader
}

// IsComment reports whether the event is a comment. There are comments only where the option Comments asks
// for them.
func (e Event) IsComment() bool { return e.Type == "" }

// delivered reports whether the event is for the user, and did not just change the session.
func (e *Event) delivered() bool { return e.Type != "" || e.Data != nil }

// own replaces borrowed data by a copy. The data of a comment is one already.
func (e *Event) own() {
	if !e.IsComment() && e.Body == nil {
		e.Data = bytes.Clone(e.Data)
	}
}

// Clone returns the event with Data in memory of its own. It is for borrowed events. A Body stays the same.
func (e Event) Clone() Event {
	e.Data = bytes.Clone(e.Data)
	return e
}

// Format implements fmt.Formatter without the payload, whatever the verb.
func (e Event) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{%s, %d bytes, id %q}", quote.Line(e.Type), len(e.Data), e.LastEventID)
}

// LogValue implements slog.LogValuer without the payload.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", e.Type), slog.Int("bytes", len(e.Data)),
		slog.String("id", e.LastEventID))
}
