package hub

import (
	"context"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// pieceSize is how much is written under one deadline. A put may be larger than what a slow but honest reader takes in that
// time.
const pieceSize = 64 << 10

// A reader is one event stream. Its methods are for the goroutine of its request, except cut.
type reader struct {
	hub     *Hub
	w       http.ResponseWriter
	control *http.ResponseController
	ctx     context.Context // ends when the client leaves or the stream is to end
	cancel  context.CancelCauseFunc
	gone    chan struct{} // closed when the reader is no longer one of the hub's

	address netip.Addr
	about   Reader
	first   *put                  // what the stream begins with; nil if there is no configuration yet
	at      atomic.Pointer[event] // what was read last
	index   int                   // in hub.readers; guarded by hub.mu
}

// cut ends the stream even if the reader takes nothing. The caller holds hub.mu, and the reader is one of the hub's.
func (r *reader) cut(why error) {
	r.cancel(why)
	_ = r.control.SetWriteDeadline(time.Unix(1, 0)) // what cannot be cut ends all the same, at the next event
}

// run writes the stream until its end, and returns the reason.
func (r *reader) run() error {
	if err := r.control.Flush(); err != nil { // the header, before anything is encoded
		return err
	}
	if r.first != nil {
		raw, encoded := r.first.event(r.about.ProtocolVersion)
		r.first = nil
		if err := r.write(raw, encoded); err != nil {
			return err
		}
	}
	for {
		e, more := r.next()
		for ; e != nil; e = e.next.Load() {
			raw, encoded := e.raw(r.about.ProtocolVersion)
			if err := r.write(raw, encoded); err != nil {
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
func (r *reader) next() (*event, <-chan struct{}) {
	if e := r.at.Load().next.Load(); e != nil {
		return e, nil
	}
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := r.at.Load().next.Load(); e != nil {
		return e, nil
	}
	if h.more == nil {
		h.more = make(chan struct{})
	}
	return nil, h.more
}

// write writes one event piece by piece, so that it takes no longer than WriteTimeout if the reader takes anything.
func (r *reader) write(raw []byte, encoded bool) error {
	if encoded {
		r.hub.written.puts.Add(1)
	}
	for len(raw) > 0 {
		piece := raw[:min(len(raw), pieceSize)]
		if err := r.arm(); err != nil {
			return err
		}
		n, err := r.w.Write(piece)
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
	if err := r.arm(); err != nil {
		return err
	}
	if err := r.control.Flush(); err != nil {
		return r.failed(err)
	}
	return r.control.SetWriteDeadline(time.Time{})
}

// arm sets the deadline of the next write, unless the stream is to end.
func (r *reader) arm() error {
	if err := r.control.SetWriteDeadline(time.Now().Add(r.hub.settings.WriteTimeout)); err != nil {
		return err
	}
	// After the deadline was set, so that cut, which sets another after it has cancelled, is either seen here or prevails.
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return nil
}

// failed returns why a write failed with err.
func (r *reader) failed(err error) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return err
}
