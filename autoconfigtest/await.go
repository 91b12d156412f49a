package autoconfigtest

import (
	"context"
	"net/http"
)

// AwaitConnections waits until the number of open event streams (see [Server.Connections]) is n.
// It returns the cause of ctx if ctx ends first, and http.ErrServerClosed if the server is closed
// first.
func (s *Server) AwaitConnections(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return s.connections() == n })
}

// AwaitRequests waits until the server has received n requests or more, refused ones included. Its
// errors are those of AwaitConnections.
func (s *Server) AwaitRequests(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return len(s.requests) >= n })
}

// AwaitDrained waits until everything sent so far has been written to the network or belongs to
// connections that are gone. Over TCP, that doesn't mean that the client has read it. Its errors are
// those of AwaitConnections.
func (s *Server) AwaitDrained(ctx context.Context) error {
	return s.await(ctx, func() bool {
		for x := range s.exchanges {
			if !x.drained() {
				return false
			}
		}
		return true
	})
}

// await waits until done returns true. It calls done with s.mu held.
func (s *Server) await(ctx context.Context, done func() bool) error {
	for {
		s.mu.Lock()
		ok, closed := done(), s.closed
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()

		switch {
		case ok:
			return nil
		case closed:
			return http.ErrServerClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// notify wakes the calls of await. The caller holds s.mu.
func (s *Server) notify() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
