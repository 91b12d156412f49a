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
	open  bool
	queue [][]byte // sent, and not yet taken by the exchange's goroutine
	busy  bool     // something was taken, and is being written
	wake  chan struct{}
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

// stream answers with the event stream. It returns, which ends the response properly, when the
// stream was ended or the client has left.
func (s *Server) stream(x *exchange, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	s.open(x)
	control := http.NewResponseController(w)
	for {
		batch, open := s.take(x)
		for _, message := range batch {
			if _, err := w.Write(message); err != nil {
				return
			}
		}
		// The first round flushes the header.
		if err := control.Flush(); err != nil || !open {
			return
		}
		if len(batch) > 0 {
			continue // says that the batch is written
		}
		select {
		case <-x.wake:
		case <-r.Context().Done():
			return
		}
	}
}

// open makes x a stream that begins with the present content, and gets all that is sent later.
func (s *Server) open(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	x.open = true
	if content := s.state.content(); content.Environments != nil {
		x.send(putMessage(content).version(x.version))
	}
	s.notify()
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

// end lets the response end when what is queued has been written. The caller holds s.mu.
func (s *Server) end(x *exchange) {
	x.open = false
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
		if x.open {
			n++
		}
	}
	return n
}
