package sse

import (
	"io"
	"sync"
)

// A readAhead reads a stream and cuts it into events on a goroutine of its own, one read ahead of the
// subscriber: with two processors or more, what the kernel, the transfer encoding and the cutting take is
// no part of the time that the subscriber takes. It costs one hand-over per read, not per event.
//
// Concurrency: the events of a batch lie in a buffer that the goroutine leaves alone until the batch comes
// back; it reads on into the other of two buffers, to which it moves what it had of the next event. The
// goroutine ends at the first error of the stream, or when close is called; the stream must be made to fail
// then, for close waits.
type readAhead struct {
	scanner *scanner
	session Session // as of what was read
	batches chan batch
	used    chan batch // those that are not in use, for their memory
	running sync.WaitGroup
}

// A batch is what came of one read.
type batch struct {
	buffer []byte  // that the events refer to
	events []Event // one without a type only changes the session
	n      int     // bytes read
	err    error   // what ended the stream
}

// newReadAhead starts to read r. session is where the stream begins.
func newReadAhead(r io.Reader, maxEventSize int, session *Session) *readAhead {
	a := &readAhead{session: *session, batches: make(chan batch, 1), used: make(chan batch, 2)}
	a.scanner = newScanner(r, ScanOptions{MaxEventSize: maxEventSize, Session: &a.session})
	a.used <- batch{}
	a.used <- batch{}
	a.running.Go(a.run)
	return a
}

func (a *readAhead) run() {
	defer close(a.batches)
	for spare := range a.used {
		for events := 0; events == 0; {
			b := a.next(spare)
			a.batches <- b
			if b.err != nil {
				return
			}
			// Without events the batch does not come back, and its buffer goes on to be filled.
			events, spare = len(b.events), b
		}
	}
}

// next reads once, into the memory of a former batch.
func (a *readAhead) next(former batch) batch {
	s := a.scanner
	before := s.buf.unreadLen()
	s.err = s.buf.fill(s.r, s.limit, former.buffer)
	b := batch{buffer: s.buf.bytes, n: s.buf.unreadLen() - before}
	if len(b.buffer) == len(former.buffer) {
		b.events = former.events[:0] // else there will be more of them, or fewer
	}
	b.err = a.cut(&b)
	return b
}

// cut adds to b the events of what has been read.
func (a *readAhead) cut(b *batch) error {
	last := a.session.LastEventID
	_, err := a.scanner.cut(func(e Event) bool {
		if e.Type != "" || e.LastEventID != last || e.Retry != noRetry {
			b.events = append(b.events, e)
			last = e.LastEventID
		}
		return true
	})
	return err
}

// done gives a batch back, when its events are not used any more.
func (a *readAhead) done(b batch) {
	if len(b.events) > 0 {
		a.used <- b
	}
}

// close waits for the goroutine. Nothing but the events of the present batch may be used afterwards.
func (a *readAhead) close() {
	close(a.used)
	for range a.batches { // one that waits to be taken
	}
	a.running.Wait()
}
