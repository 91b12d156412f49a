package autoconfigtest

import (
	"net"
	"net/http"
)

// An exchange is one request while it is being answered. Server.mu guards all fields that change.
type exchange struct {
	conn    net.Conn
	number  int // among the requests that passed the checks, from 1; 0 for others
	version int // protocol version
	// open is true while this is an event stream to which messages are sent.
	open bool
	// begun is true once a header has been flushed. If a connection breaks earlier, an HTTP client
	// may repeat the request silently.
	begun bool
	queue [][]byte // messages that the exchange's goroutine has yet to take
	busy  bool     // the header, or messages that were taken, are being written
	// last, if not nil, ends the response once open is false and everything is written. If it is
	// nil, the response ends as HTTP responses do.
	last func(*http.Request)
	wake chan struct{}
}

func (x *exchange) drained() bool { return len(x.queue) == 0 && !x.busy }

// send queues a message, which must not be modified afterwards.
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

// stream answers with the event stream until the server ends it or the client leaves.
func (s *Server) stream(x *exchange, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	// Before the flush: a client that knows of the stream must not miss a message.
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
			continue // flush, and let take note that the batch is written
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

// open makes x a stream that begins with the present content and gets every later message.
func (s *Server) open(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.open, x.busy = true, true
	if content := s.state.content(); content.Environments != nil {
		x.send(encodePut(content).version(x.version))
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

// take returns the queued messages and whether there may be more later. Calling it says that the
// messages taken before have been written.
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

// end ends the response, by calling last if that is not nil, once the queue has been written. The
// caller holds s.mu.
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
