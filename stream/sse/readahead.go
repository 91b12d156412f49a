package sse

import (
	"io"
	"sync"
)

// smallBatch is how many events there is at most memory for while the buffer is small: as much as that takes.
const smallBatch = smallBuffer / 64

// A readAhead reads a stream and cuts it into events on a goroutine of its own, so that what the kernel, the
// transfer encoding and the cutting take need not add to the time that the subscriber takes. The subscriber
// takes all there is at once, so that a busy stream costs few hand-overs, however small its reads are.
//
// Concurrency: the lock guards ready and the counts. Events are numbered. Those that the subscriber is not
// done with lie in one of two buffers, where the goroutine only writes behind them; before it moves
// anything it changes over to the other buffer, and waits until no event in that is in use any more. So it
// is at most one buffer ahead. It ends at the first error of the stream, or when close is called; the
// stream must be made to fail then, for close waits.
type readAhead struct {
	scanner *scanner
	session Session // as of what was read; to be looked at by others after the last batch
	running sync.WaitGroup

	mu     sync.Mutex
	ready  batch  // what can be taken
	taken  uint64 // events that the subscriber has taken
	used   uint64 // and those that it is done with
	closed bool

	filled chan struct{} // gets a token when there is something to take
	freed  chan struct{} // gets a token when used has grown, or closed is set
}

// A batch is what was read between two calls of take.
type batch struct {
	events []Event // one that is not to be delivered only changes the session
	n      int     // bytes
	small  bool    // the buffer was small when the last of them were read
	err    error   // what ended the stream
}

// newReadAhead starts to read r. The session of the options, which is not modified, is where the stream begins.
func newReadAhead(r io.Reader, o ScanOptions) *readAhead {
	a := &readAhead{session: *o.Session, filled: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
	o.Session = &a.session
	a.scanner = newScanner(r, o)
	a.running.Go(a.run)
	return a
}

func (a *readAhead) run() {
	var (
		s        = a.scanner
		events   []Event // that were just read
		last     uint64  // the number of the last event there was
		spare    []byte  // the buffer that is not being filled
		spareEnd uint64  // the number of the last event in it
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
				spare = nil // it stays only for as long as its events do
			}
			s.buf.makeRoom(s.limit, dst, behind)
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

// reusable returns the memory of events for others, but none that is of busier times when the buffer is small.
func reusable(events []Event, small bool) []Event {
	if small && cap(events) > smallBatch {
		return nil
	}
	return events[:0]
}

// cut adds to b the events of what has been read, or the reason why there will be none.
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

// pass makes b ready, and returns memory for further events.
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

// free reports whether the subscriber is done with the event of that number, and all before it.
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

// take waits for what is read next, a byte at least, or the end. The events of former, which is what take
// returned before, must not be used any more.
func (a *readAhead) take(former batch) batch {
	clear(former.events) // they refer to a buffer, which may be huge and go out of use
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

// close waits for the goroutine. No events may be used afterwards.
func (a *readAhead) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	signal(a.freed)
	a.running.Wait()
}

// signal leaves a token, if there is none.
func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
