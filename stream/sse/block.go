package sse

import (
	"bytes"
	"time"
)

// defaultType is the type of an event whose block names none.
const defaultType = "message"

// A block collects the fields of one event. The data is assembled in place, in the buffer.
type block struct {
	buf     *buffer
	session *Session
	names   names

	// id becomes the session's last event ID at the end of the block. The next block starts with it.
	id string

	typ      string
	hasData  bool
	retry    time.Duration
	hasRetry bool

	pieces int  // the least length of a piece, except the last; 0 for no pieces
	begun  bool // a piece has been passed on
	passed int  // the length of the data in all pieces
	lines  int  // while a part of a line is in the data already (buf.taken > 0): the length of the data before that line
}

func (b *block) init(buf *buffer, session *Session) {
	b.buf, b.session = buf, session
	b.id = session.LastEventID
}

// field processes a line that is not empty. It is the line that the buffer has just cut. The error is ErrLateType.
func (b *block) field(line []byte) error {
	name, value := line, line[len(line):]
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name, value = line[:i], line[i+1:]
	}
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	// A comment is a field without a name, and ignored here like any unknown one.
	switch string(name) {
	case "data":
		if b.hasData {
			b.buf.addData(len(value))
		} else {
			b.buf.startData(len(value))
			b.hasData = true
		}
	case "event":
		if b.begun && string(value) != b.typ {
			return ErrLateType
		}
		b.typ = b.names.intern(value)
	case "id":
		if string(value) != b.id && bytes.IndexByte(value, 0) < 0 {
			b.id = string(value)
		}
	case "retry":
		if d, ok := parseRetry(value); ok {
			b.retry, b.hasRetry = d, true
			b.session.setRetry(d)
		}
	}
	return nil
}

// comment returns the event of a comment, which is a line that begins with a colon.
func (b *block) comment(line []byte) Event {
	// The data is a copy: when a block's data lines are joined, they move over the lines between them.
	return Event{Data: bytes.Clone(line[1:]), LastEventID: b.session.LastEventID}
}

// end ends the block and returns its event, which is not dispatched if it has no data.
func (b *block) end() Event {
	b.session.LastEventID = b.id
	if b.begun {
		last := b.part(false)
		b.buf.stretched = true
		b.typ, b.hasData, b.retry, b.hasRetry, b.begun, b.passed = "", false, 0, false, false, 0
		return last
	}
	event := Event{Type: b.typ, LastEventID: b.id, Retry: b.retry, HasRetry: b.hasRetry}
	hasData := b.hasData
	b.typ, b.hasData, b.retry, b.hasRetry = "", false, 0, false
	switch {
	case !hasData:
		event.Type = ""
		return event
	case event.Type == "":
		event.Type = defaultType
	}
	event.Data = b.buf.takeData()
	if len(event.Data) > hugeBuffer {
		b.session.huge, b.buf.expected = len(event.Data), len(event.Data)
	}
	return event
}

const (
	// maxNames is how many event names are remembered; streams have a handful.
	maxNames = 16
	// maxNameLen is the length of the longest name that is remembered.
	maxNameLen = 64
)

// names remembers event names, so that a name that recurs costs no allocation. It is bounded, because
// the server chooses the names.
type names struct {
	known []string
	next  int
}

func (n *names) intern(name []byte) string {
	for _, known := range n.known {
		if string(name) == known {
			return known
		}
	}
	s := string(name)
	switch {
	case len(s) > maxNameLen:
	case len(n.known) < maxNames:
		n.known = append(n.known, s)
	default:
		n.known[n.next] = s
		n.next = (n.next + 1) % maxNames
	}
	return s
}
