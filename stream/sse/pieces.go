package sse

import (
	"errors"
	"fmt"
	"io"
)

// errBodyOver is what the Body of an event returns once yield has returned.
var errBodyOver = errors.New("sse: Body read after yield has returned")

// A part is a piece of an event's data. In the events that a scanner yields it stands in the place of the Body, which
// reads the pieces. It is true if more follow.
type part bool

// Read makes a part fit into the field. Nobody calls it.
func (part) Read([]byte) (int, error) { return 0, errBodyOver }

// piece returns the data so far of an event that is not complete, including that of the line which is being read. It
// returns an event without data if that is still to be held. It is called when all whole lines have been cut.
//
// A line that has been moved to the data stays there even if no piece is returned; the scanner goes on with its rest.
func (b *block) piece() Event {
	if b.pieces == 0 || b.typ == "" || b.buf.dataLen()+b.buf.unreadLen() < b.pieces {
		return Event{} // the data can't be long enough, whatever the line is
	}
	if b.buf.taken == 0 {
		b.lines = b.passed + b.buf.dataLen()
	}
	b.hasData = b.buf.takeLine(b.hasData) || b.hasData
	if b.buf.dataLen() < b.pieces {
		return Event{}
	}
	b.begun = true
	return b.part(true)
}

// dataLen returns the length of the event's data, in pieces or not, without the line that is being read. MaxEventSize
// is compared with this and the whole line, so that it does not depend on whether a part of the line has been moved.
func (b *block) dataLen() int {
	if b.buf.taken > 0 {
		return b.lines
	}
	return b.passed + b.buf.dataLen()
}

// part returns the data in the buffer as a piece of the event.
func (b *block) part(more part) Event {
	b.passed += b.buf.dataLen()
	return Event{Type: b.typ, Data: b.buf.takeData(), LastEventID: b.id, Retry: b.retry, HasRetry: b.hasRetry, Body: more}
}

// A body is the Body of an event: it takes the pieces from the reading that yields the event.
type body struct {
	from *reading
	data []byte // of the present piece
	more bool   // another one follows
	err  error  // what a Read returns behind data
}

// inPieces returns a function that passes to yield the event that begins with a piece.
func (r *reading) inPieces(yield func(Event) bool) func(Event) bool {
	return func(e Event) bool {
		b := &body{from: r, data: e.Data, more: bool(e.Body.(part))}
		e.Data, e.Body = nil, b
		more := yield(e)
		for more && b.err == nil {
			b.next()
		}
		b.data, b.err = nil, errBodyOver
		return more
	}
}

// Read implements io.Reader. Its errors other than io.EOF say that the event is not complete.
func (b *body) Read(p []byte) (int, error) {
	for len(b.data) == 0 && b.err == nil {
		b.next()
	}
	if len(b.data) == 0 {
		return 0, b.err
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// Format implements fmt.Formatter without the payload, whatever the verb.
func (*body) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sse.Event.Body") }

// next takes the next piece.
func (b *body) next() {
	b.data = nil
	if !b.more {
		b.err = io.EOF
		return
	}
	e := b.from.next()
	if e == nil {
		b.err = b.from.end()
		if b.err == ErrEndOfStream || b.err == io.EOF { // the latter as the cause of a context
			b.err = io.ErrUnexpectedEOF
		}
		return
	}
	if p, ok := e.Body.(part); ok { // and not a comment
		b.data, b.more = e.Data, bool(p)
	}
}
