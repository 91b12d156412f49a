package sse

import (
	"io"
	"sync"
)

const (
	// minAhead is the first size of the two buffers of a readAhead, and maxAhead what they grow to
	// while reads fill them.
	minAhead = 4 << 10
	maxAhead = 64 << 10
)

// A readAhead reads from r on a goroutine of its own while what was read before is being used, one
// buffer ahead: with two processors or more, the copying that a connection does, from the kernel and
// out of the transfer encoding, takes no time from the parsing. It costs one hand-over per read, not
// per event.
//
// One buffer is with the goroutine, which reads into it, and one with the reader; they are exchanged
// over two channels, each of which has room for all there can be in it, so that a send never waits. The
// goroutine ends at the first error of r, or when close is called; r must be made to fail then, for
// close waits.
type readAhead struct {
	filled  chan chunk
	emptied chan []byte
	current chunk // what the reader is using
	unread  []byte
	running sync.WaitGroup
}

type chunk struct {
	buffer []byte
	n      int
	err    error
}

func newReadAhead(r io.Reader) *readAhead {
	a := &readAhead{filled: make(chan chunk, 2), emptied: make(chan []byte, 2)}
	a.emptied <- make([]byte, minAhead)
	a.emptied <- make([]byte, minAhead)
	a.running.Go(func() { a.fill(r) })
	return a
}

func (a *readAhead) fill(r io.Reader) {
	defer close(a.filled)
	for buffer := range a.emptied {
		n, err := r.Read(buffer)
		a.filled <- chunk{buffer, n, err}
		if err != nil {
			return
		}
	}
}

// next waits for the next chunk, of which n bytes are then to be taken with take.
func (a *readAhead) next() {
	if buffer := a.current.buffer; buffer != nil {
		if a.current.n == len(buffer) && len(buffer) < maxAhead {
			buffer = make([]byte, 2*len(buffer))
		}
		a.emptied <- buffer
	}
	a.current = <-a.filled
	a.unread = a.current.buffer[:a.current.n]
}

// Read implements io.Reader.
func (a *readAhead) Read(p []byte) (int, error) {
	if len(a.unread) == 0 && a.current.err == nil {
		a.next()
	}
	n := copy(p, a.unread)
	a.unread = a.unread[n:]
	if len(a.unread) == 0 {
		return n, a.current.err
	}
	return n, nil
}

// close waits for the goroutine.
func (a *readAhead) close() {
	close(a.emptied)
	a.running.Wait()
}
