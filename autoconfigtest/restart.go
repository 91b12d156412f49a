package autoconfigtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Stop cuts all connections and stops listening, as if the server's process had ended. Connections
// are refused until [Server.Restart]. The server keeps its content, the requests so far and the
// planned faults. Changes made while it is stopped are in the put that begins the next connection.
// Stopping a server that is stopped or closed has no effect.
func (s *Server) Stop() {
	s.mu.Lock()
	if s.stopped || s.closed {
		s.mu.Unlock()
		return
	}
	s.stopped = true
	s.listener.stop()
	for x := range s.exchanges {
		s.cut(x, false)
	}
	s.mu.Unlock()
	s.http.CloseClientConnections() // also those without an exchange
}

// Restart makes a stopped server listen again, at the same URL. It panics if it cannot listen, for
// example because another process has taken the port. It has no effect on a server that is running
// or closed.
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped || s.closed {
		return
	}
	if err := s.listener.restart(); err != nil {
		panic(fmt.Sprintf("autoconfigtest: cannot listen again: %v", err))
	}
	s.stopped = false
}

// A restartable is a listener that can be stopped and restarted at its address. Meanwhile Accept
// waits; it fails only after Close.
type restartable struct {
	mu      sync.Mutex
	current listener      // closed while stopped
	changed chan struct{} // closed at the next restart, or by Close
	closed  bool
}

func newRestartable(l listener) *restartable {
	return &restartable{current: l, changed: make(chan struct{})}
}

func (r *restartable) Accept() (net.Conn, error) {
	for {
		current, changed, closed := r.state()
		if closed {
			return nil, net.ErrClosed
		}
		conn, err := current.Accept()
		if !errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		<-changed
	}
}

func (r *restartable) state() (current listener, changed <-chan struct{}, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.changed, r.closed
}

// Close implements net.Listener. It may be called more than once.
func (r *restartable) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	close(r.changed)
	return r.current.Close()
}

func (r *restartable) Addr() net.Addr {
	current, _, _ := r.state()
	return current.Addr()
}

func (r *restartable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	current, _, _ := r.state()
	return current.dial(ctx, network, address)
}

func (r *restartable) stop() {
	current, _, _ := r.state()
	// The only error is that it is closed already.
	_ = current.Close()
}

// restart must not be called after Close.
func (r *restartable) restart() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.current.again()
	if err != nil {
		return err
	}
	r.current = next
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}
