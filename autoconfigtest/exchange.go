package autoconfigtest

import (
	"net"
	"net/http"
)

// An exchange is one request while it is being answered. Server.mu guards what isn't constant.
type exchange struct {
	conn    net.Conn
	number  int // among the requests that passed the checks, from 1; 0 for others
	version int // protocol version
	// open tells that this is an event stream to which messages are sent.
	open bool
	// begun tells that a header has been flushed. A client whose connection breaks before may take
	// it for one that was never used, and silently repeat the request.
	begun bool
	queue [][]byte // sent, and not yet taken by the exchange's goroutine
	busy  bool     // something was taken, and is being written, or the header is
	// last, if not nil, ends the response in place of HTTP's way, when open is false and everything
	// is written.
	last func(*http.Request)
	wake chan struct{}
}

func (x *exchange) drained() bool { return len(x.queue) == 0 && !x.busy }

// send queues a message, which nobody may modify any more.
func (x *exchange) send(message []byte) {
	x.queue = append(x.queue, message)
	x.signal()
}

func (x *exchange) signal() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// stream answers with the event stream, until that is ended or the client has left.
func (s *Server) stream(x *exchange, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	// Before the client can know of it, lest it miss what is sent when it does.
	s.open(x)
	control := http.NewResponseController(w)
	for control.Flush() == nil {
		batch, open := s.take(x)
		for _, message := range batch {
			if _, err := w.Write(message); err != nil {
				return
			}
		}
		if len(batch) > 0 {
			continue // flush, and have it noted that the batch is written
		}
		if !open {
			if x.last != nil {
				x.last(r)
			}
			return
		}
		select {
		case <-x.wake:
		case <-r.Context().Done():
			return
		}
	}
}

// open makes x a stream that begins with the present content and gets all that is sent later.
func (s *Server) open(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.open, x.busy = true, true
	if content := s.state.content(); content.Environments != nil {
		x.send(putMessage(content).version(x.version))
	}
}

// begin notes that a header has been flushed.
func (s *Server) begin(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !x.begun {
		x.begun = true
		s.notify()
	}
}

// take returns what is to be written, and whether there may be more later. It also says that what
// was taken before has been written.
func (s *Server) take(x *exchange) (batch [][]byte, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch, x.queue = x.queue, nil
	x.busy = len(batch) > 0
	if !x.busy {
		s.notify()
	}
	return batch, x.open
}

// end lets the response end, in the way of last, when what is queued has been written. The caller
// holds s.mu.
func (s *Server) end(x *exchange, last func(*http.Request)) {
	x.open, x.last = false, last
	x.signal()
	s.notify()
}

// cut closes the network connection, with a TCP reset on request. The caller holds s.mu.
func (s *Server) cut(x *exchange, reset bool) {
	x.open, x.busy, x.queue = false, false, nil
	closeConn(x.conn, reset)
	s.notify()
}

// connections counts the open streams. The caller holds s.mu.
func (s *Server) connections() int {
	n := 0
	for x := range s.exchanges {
		if x.open && x.begun {
			n++
		}
	}
	return n
}
