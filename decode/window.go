package decode

import (
	"errors"
	"io"
)

// errIncomplete reports an event whose body ended too early. It counts as if it had never begun.
var errIncomplete = errors.New("decode: event is not complete")

// windowSize is the first size of a window, in bytes.
const windowSize = 64 << 10

// A window is the part of an event that is in memory while the event arrives.
type window struct {
	source io.Reader // where the rest comes from; nil if there is no more
	size   int       // windowSize
	buf    []byte    // the memory of the data
	before int       // the number of bytes before the data
	short  bool      // the syntax error is that the data ended
	broken bool      // the source has failed
}

// whole calls read, which reads one part of an event. If the part reaches the end of the window, whole takes back
// what read has done to the reader, waits for more, and calls read again. So read must do nothing else that counts.
// What the last read has found in data stays where it is until the next call, which may move everything.
func (r *reader) whole(read func()) {
	for {
		pos, stack, mistake := r.pos, r.stack, r.mistake
		read()
		if r.source == nil || !r.exhausted() {
			return
		}
		r.pos, r.stack, r.mistake, r.err = pos, stack, mistake, nil
		r.fill()
	}
}

// exhausted reports whether the last part may go on behind the window.
func (r *reader) exhausted() bool {
	if r.err != nil {
		return r.short && r.budget.err == nil
	}
	r.peek()
	return r.pos == len(r.data) && r.budget.err == nil
}

// wholeMember is member for a struct that may arrive in pieces.
func (r *reader) wholeMember() (m int) {
	r.whole(func() { m = r.member() })
	return m
}

// wholeNull is null for a value that may arrive in pieces.
func (r *reader) wholeNull() (is bool) {
	r.whole(func() { is = r.null() })
	return is
}

// fill drops what has been read, and fills the window from the source. A part that takes more than half of it makes
// it twice as large, so that the work is in proportion to the length of the event.
func (r *reader) fill() {
	rest := r.data[r.pos:]
	r.before += r.pos
	if len(rest) >= len(r.buf)/2 {
		r.buf = make([]byte, max(2*len(r.buf), r.size))
	}
	n := copy(r.buf, rest)
	var err error
	for n < len(r.buf) && err == nil {
		var read int
		read, err = r.source.Read(r.buf[n:])
		n += read
	}
	r.data, r.pos = r.buf[:n], 0
	if err != nil {
		r.source, r.broken = nil, err != io.EOF
	}
}

// drain reads the rest of the event and reports whether the event was complete.
func (r *reader) drain() bool {
	if r.source != nil {
		_, err := io.Copy(io.Discard, r.source)
		r.source, r.broken = nil, err != nil
	}
	return !r.broken
}
