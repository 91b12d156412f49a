package hub

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pieceSize is how much is written under one deadline: a put may be larger than what a slow but honest reader takes in
// that time.
const pieceSize = 64 << 10

// farewell is how long a reader may take to take the end of its stream.
const farewell = 100 * time.Millisecond

// A reader is one event stream. Its methods are for the goroutine that runs it, except cut.
type reader struct {
	hub     *Hub
	ctx     context.Context // ends, with the reason, when the stream is to end
	cancel  context.CancelCauseFunc
	sink    sink          // guarded by hub.mu until run
	gone    chan struct{} // closed when the reader is no longer one of the hub's
	address netip.Addr
	about   Reader
	index   int // in hub.readers; guarded by hub.mu

	first *put                  // what the stream begins with; nil if there is no configuration yet
	at    atomic.Pointer[event] // what was read last

	deadline time.Time // of what is being written
	armed    int       // bytes that may still be written under it
}

// cut ends the stream even if the reader takes nothing. The caller holds hub.mu, and the reader is one of the hub's.
func (r *reader) cut(why error) {
	r.cancel(why)
	_ = r.sink.SetWriteDeadline(time.Unix(1, 0))
}

// takeOver takes the request's connection from net/http, and writes the stream to it on another goroutine. It reports
// whether it has: if not, the request is as before. A ResponseWriter that wraps another one without being an http.Hijacker
// itself wants to see what is written.
func (r *reader) takeOver(w http.ResponseWriter) bool {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return false
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return false
	}
	c := &connection{Conn: conn} // without deadlines: Hijack lifts them
	r.hub.mu.Lock()
	r.sink = c
	r.hub.mu.Unlock()
	c.begin(w.Header()) // now, since the header belongs to whoever called ServeHTTP
	go func() {
		defer r.hub.running.Done()
		var watching sync.WaitGroup
		watching.Go(func() {
			c.watch()
			r.cancel(errLeft)
		})
		defer watching.Wait()
		defer c.Close()
		if why := r.run(); endedByHub(why) {
			c.end()
		}
	}()
	return true
}

// run writes the stream until its end, and returns the reason. The reader is then no longer one of the hub's.
func (r *reader) run() (why error) {
	defer func() {
		r.cancel(why)
		r.hub.leave(r, why)
		if endedByHub(why) { // from here on nobody cuts it, with a deadline that has passed
			_ = r.sink.SetWriteDeadline(time.Now().Add(farewell))
		}
	}()
	r.hub.logArrival(r)
	// The header, before anything is encoded.
	if why = r.arm(0); why == nil {
		why = r.flush()
	}
	if why == nil {
		why = r.follow()
	}
	return why
}

// follow writes the stream until its end, and returns the reason.
func (r *reader) follow() error {
	if r.first != nil {
		err := r.write(r.first.event(r.about.ProtocolVersion))
		r.first = nil
		if err != nil {
			return err
		}
	}
	for {
		e, more := r.next()
		for ; e != nil; e = e.next.Load() {
			if err := r.write(e.raw(r.about.ProtocolVersion)); err != nil {
				return err
			}
			r.at.Store(e)
		}
		if more == nil {
			continue
		}
		if err := r.flush(); err != nil {
			return err
		}
		select {
		case <-more:
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
}

// next returns the event after the one that was read last, or a channel that is closed when there is one.
func (r *reader) next() (e *event, more <-chan struct{}) {
	last, h := r.at.Load(), r.hub
	if e := last.next.Load(); e != nil {
		return e, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := last.next.Load(); e != nil {
		return e, nil
	}
	if h.more == nil {
		h.more = make(chan struct{})
	}
	return nil, h.more
}

// write writes one event, piece by piece. encoded says whether it was encoded for this reader.
func (r *reader) write(raw []byte, encoded bool) error {
	if encoded {
		r.hub.written.puts.Add(1)
	}
	for len(raw) > 0 {
		piece := raw[:min(len(raw), pieceSize)]
		if err := r.arm(len(piece)); err != nil {
			return err
		}
		n, err := r.sink.Write(piece)
		r.hub.written.bytes.Add(uint64(n))
		if err != nil {
			return r.failed(err)
		}
		raw = raw[n:]
	}
	return nil
}

// flush sends what was written, and lets no deadline pass while nothing is.
func (r *reader) flush() error {
	if err := r.sink.Flush(); err != nil {
		return r.failed(err)
	}
	r.armed = 0
	return r.sink.SetWriteDeadline(time.Time{})
}

// arm sees to it that n bytes may be written before the deadline, unless the stream is to end.
func (r *reader) arm(n int) error {
	if r.armed -= n; r.armed <= 0 {
		r.armed, r.deadline = pieceSize, time.Now().Add(r.hub.settings.WriteTimeout)
		if err := r.sink.SetWriteDeadline(r.deadline); err != nil {
			return r.failed(err)
		}
	}
	// After the deadline was set: a cut, which cancels first and then sets another deadline, is seen here or prevails.
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return nil
}

// failed returns why a write failed with err. HTTP/2 says of a deadline that has passed that the reader has left.
func (r *reader) failed(err error) error {
	switch why := context.Cause(r.ctx); {
	case why != nil && !errors.Is(why, errLeft):
		return why
	case !time.Now().Before(r.deadline):
		return os.ErrDeadlineExceeded
	case why != nil:
		return why
	}
	return err
}
