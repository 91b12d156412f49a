package sse

import (
	"bytes"
	"fmt"
	"io"
	"iter"
)

// defaultMaxEventSize fits a state of some ten thousand items that is sent as one event.
const defaultMaxEventSize = 64 << 20

// ScanOptions are the options of Scan. The zero value is the defaults.
type ScanOptions struct {
	// MaxEventSize limits what is held of one event, in bytes: its data so far and the line that
	// is being read. A comment or another field counts only while it is the line being read.
	// The buffer takes at most 64 KiB more. While it grows, the smaller one that it replaces exists,
	// too. 0 means 64 MiB.
	MaxEventSize int
	// Session is continued and updated. Nil means a fresh one.
	Session *Session
	// Comments yields the comments, too, as events with an empty Type, in their place between the
	// others: each as soon as its line is there, and so before an event that it is in the middle of.
	Comments bool
	// Borrow saves a copy of each event's data: Event.Data is valid until the next iteration only, like
	// the result of bufio.Scanner.Bytes. Event.Clone keeps an event. Operators that keep events, such as
	// Buffer and Merge of package stream, and terminals such as Collect and Chan must not be used then
	// without Clone before them.
	Borrow bool
}

// Scan parses the events of r as they arrive. The sequence ends without an error at the end of r. An
// unfinished block there is dropped, as the standard demands. A read error, or ErrEventTooLarge, is
// the last thing yielded. A negative MaxEventSize yields ErrInvalidOption.
//
// An event is yielded as soon as the line that completes it is there, even if that line ends with
// a CR that an LF might follow. Its strings and data are the bytes of the stream; invalid UTF-8 is not
// replaced. With Borrow, Scan allocates nothing per event in a steady state, except for a last event ID
// that changes.
//
// The sequence reads ahead of what it yields, so nobody else can read from r, and the sequence can be
// used once. The options are copied at the call. Scan is not safe for concurrent use.
func Scan(r io.Reader, o *ScanOptions) iter.Seq2[Event, error] {
	var opts ScanOptions
	if o != nil {
		opts = *o
	}
	return func(yield func(Event, error) bool) {
		if err := checkMaxEventSize(opts.MaxEventSize); err != nil {
			yield(Event{}, err)
			return
		}
		if err := newScanner(r, opts).run(yield); err != nil {
			yield(Event{}, err)
		}
	}
}

func checkMaxEventSize(n int) error {
	if n < 0 {
		return fmt.Errorf("%w: MaxEventSize is %d, must be 0 (default) or positive", ErrInvalidOption, n)
	}
	return nil
}

// A scanner cuts a stream into lines and passes them to its block.
type scanner struct {
	r        io.Reader
	limit    int
	comments bool
	borrow   bool
	buf      buffer
	block    block
	begun    bool  // the first line is cut
	err      error // of the last read; it counts when the buffer has no more lines
}

func newScanner(r io.Reader, o ScanOptions) *scanner {
	if o.MaxEventSize == 0 {
		o.MaxEventSize = defaultMaxEventSize
	}
	if o.Session == nil {
		o.Session = new(Session)
	}
	s := &scanner{r: r, limit: o.MaxEventSize, comments: o.Comments, borrow: o.Borrow}
	s.buf.expected = o.Session.huge
	s.block.init(&s.buf, o.Session)
	return s
}

// run returns nil when the stream has ended or yield returned false.
func (s *scanner) run(yield func(Event, error) bool) error {
	each := func(e Event) bool {
		if !e.delivered() {
			return true
		}
		if !s.borrow {
			e.own()
		}
		return yield(e, nil)
	}
	for {
		more, err := s.cut(each)
		switch {
		case !more || err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		s.buf.makeRoom(s.limit, s.buf.bytes, false)
		s.err = s.buf.read(s.r)
	}
}

// cut cuts the lines that are in the buffer and calls yield for each block that they end, and each comment if
// those are asked for, until it returns false. A block that dispatches nothing has an event that is not to be
// delivered. The error is that of the last read, ErrEventTooLarge or ErrLateType.
func (s *scanner) cut(yield func(Event) bool) (more bool, err error) {
	for {
		line, ok := s.buf.nextLine()
		size := len(line)
		if !ok {
			size = s.buf.unreadLen()
		}
		// A whole line and the beginning of one are measured in the same way, so that the limit does not
		// depend on how reads cut the stream.
		if s.block.dataLen()+s.buf.taken+size > s.limit {
			return true, ErrEventTooLarge
		}
		if !ok {
			if piece := s.block.piece(); piece.Type != "" {
				yield(piece)
			}
			return true, s.err
		}
		if !s.begun {
			s.begun = true
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // a byte order mark may lead
		}
		switch {
		case s.buf.taken > 0:
			s.buf.continueData(len(line))
			s.buf.taken, more = 0, true
		case len(line) == 0:
			more = yield(s.block.end())
		case line[0] == ':' && s.comments:
			more = yield(s.block.comment(line))
		default:
			err = s.block.field(line)
			more = true
		}
		if !more || err != nil {
			return more, err
		}
	}
}
