package sse

import (
	"io"
	"sync"
)

// smallBatch is the largest capacity of a batch that is kept while the buffer is small. It takes as much memory as
// the buffer.
const smallBatch = smallBuffer / 64

// A readAhead reads a stream and cuts it into events on a goroutine of its own, while the subscriber is busy
// with earlier events. The subscriber takes all events that are ready at once, so that a busy stream costs
// few hand-overs, however small its reads are.
//
// Concurrency: the lock guards ready and the counts. Events are numbered. The events that the subscriber
// still uses lie in one of two buffers, and the goroutine only writes behind them. Before it moves
// anything it switches to the other buffer, and waits until no event there is in use. So it is at most one
// buffer ahead. The goroutine ends at the first error of the stream, or after close. Close waits for it, so
// the stream must fail first.
type readAhead struct {
	scanner *scanner
	session Session // as of what was read; others may read it after the last batch
	running sync.WaitGroup

	mu     sync.Mutex
	ready  batch  // what can be taken
	taken  uint64 // events that the subscriber has taken
	used   uint64 // and those that it is done with
	closed bool

	filled chan struct{} // has a token when there is something to take
	freed  chan struct{} // has a token when used has grown, or closed is set
}

// A batch is what was read between two calls of take.
type batch struct {
	events []Event // one that is not to be delivered only changes the session; the Body of a piece is a part
	n      int     // bytes
	small  bool    // the buffer was small at the last read
	err    error   // what ended the stream
}

// newReadAhead starts to read r. The session of the options, which is not modified, is where the stream begins. pieces is
// the option of Connect; 0 means none.
func newReadAhead(r io.Reader, o ScanOptions, pieces int) *readAhead {
	a := &readAhead{session: *o.Session, filled: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
	o.Session = &a.session
	a.scanner = newScanner(r, o)
	a.scanner.block.pieces = pieces
	a.running.Go(a.run)
	return a
}

func (a *readAhead) run() {
	var (
		s        = a.scanner
		events   []Event // memory for the events of the next read
		last     uint64  // number of the last event
		spare    []byte  // the buffer that is not being filled
		spareEnd uint64  // number of the last event in it
	)
	for ended := false; !ended; {
		if !s.buf.hasRoom() {
			dst := s.buf.bytes
			behind := last > spareEnd && !a.free(last)
			if behind {
				if !a.waitFor(spareEnd) {
					return
				}
				dst, spare, spareEnd = spare, dst, last
			}
			if len(spare) > hugeBuffer || s.buf.outgrown() {
				spare = nil // its events keep it for as long as they need it
			}
			s.buf.makeRoom(s.limit, dst, behind && !s.block.begun) // one event in pieces is not many events
		}
		small, before := len(s.buf.bytes) == smallBuffer, s.buf.unreadLen()
		b := batch{events: reusable(events, small), small: small}
		s.err = s.buf.read(s.r)
		b.n = s.buf.unreadLen() - before
		a.cut(&b)
		last += uint64(len(b.events))
		ended = b.err != nil
		events = a.pass(b)
	}
}

// reusable returns the memory of events for reuse, unless it is larger than a small buffer justifies.
func reusable(events []Event, small bool) []Event {
	if small && cap(events) > smallBatch {
		return nil
	}
	return events[:0]
}

// cut adds the events of what has been read to b, and the error that ends them.
func (a *readAhead) cut(b *batch) {
	last := a.session.LastEventID
	_, b.err = a.scanner.cut(func(e Event) bool {
		if e.delivered() || e.LastEventID != last || e.HasRetry {
			b.events = append(b.events, e)
			last = e.LastEventID
		}
		return true
	})
}

// pass makes b ready to take. It returns memory for further events.
func (a *readAhead) pass(b batch) (unused []Event) {
	a.mu.Lock()
	ready := &a.ready
	if len(ready.events) == 0 {
		ready.events, unused = b.events, ready.events
	} else {
		ready.events, unused = append(ready.events, b.events...), b.events
		clear(unused)
	}
	ready.n += b.n
	ready.small, ready.err = b.small, b.err
	a.mu.Unlock()
	signal(a.filled)
	return unused
}

// free reports whether the subscriber is done with the event of that number and all before it.
func (a *readAhead) free(event uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.used >= event
}

// waitFor waits until event is free, and reports false if close is called before.
func (a *readAhead) waitFor(event uint64) bool {
	for {
		a.mu.Lock()
		free, closed := a.used >= event, a.closed
		a.mu.Unlock()
		if free || closed {
			return free
		}
		<-a.freed
	}
}

// take waits for the next bytes, or the end. The events of former, which the last call returned, must no longer
// be in use.
func (a *readAhead) take(former batch) batch {
	clear(former.events) // they would keep a buffer, which may be huge
	for {
		a.mu.Lock()
		a.used = a.taken
		b := a.ready
		some := b.n > 0 || b.err != nil
		if some {
			a.ready = batch{events: reusable(former.events, b.small)}
			a.taken += uint64(len(b.events))
		}
		a.mu.Unlock()
		signal(a.freed)
		if some {
			return b
		}
		<-a.filled
	}
}

// close waits for the goroutine. The events must not be used afterwards.
func (a *readAhead) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	signal(a.freed)
	a.running.Wait()
}

// signal puts a token into the channel, unless there is one.
func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
