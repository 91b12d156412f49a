package sse

import (
	"io"
	"sync"
)

// quietReads is how many reads in a row must have got less than smallBuffer until a buffer goes back to
// that size.
const quietReads = 8

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
	quiet   int // reads in a row that got little
	running sync.WaitGroup
}

type chunk struct {
	buffer []byte
	n      int
	err    error
}

func newReadAhead(r io.Reader) *readAhead {
	a := &readAhead{filled: make(chan chunk, 2), emptied: make(chan []byte, 2)}
	a.emptied <- make([]byte, smallBuffer)
	a.emptied <- make([]byte, smallBuffer)
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

// next exchanges the buffer that has been used for the next one, and waits for that.
func (a *readAhead) next() {
	if used := a.current.buffer; used != nil {
		a.emptied <- a.resized(used)
	}
	a.current = <-a.filled
	a.unread = a.current.buffer[:a.current.n]
}

// resized returns a buffer of the size that the last reads recommend: twice as large after one that was
// filled, small after many that got little.
func (a *readAhead) resized(buffer []byte) []byte {
	if a.current.n >= smallBuffer {
		a.quiet = 0
	} else {
		a.quiet++
	}
	switch {
	case a.current.n == len(buffer) && len(buffer) < busyBuffer:
		return make([]byte, 2*len(buffer))
	case a.quiet > quietReads && len(buffer) > smallBuffer:
		return make([]byte, smallBuffer)
	default:
		return buffer
	}
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
