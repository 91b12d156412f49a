package autoconfigtest

import (
	"context"
	"net/http"
)

// AwaitConnections returns when the number of open event streams (see [Server.Connections]) is n.
// It returns the cause of ctx when ctx ends first, and http.ErrServerClosed when n can't be reached
// any more because the server was closed.
func (s *Server) AwaitConnections(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return s.connections() == n })
}

// AwaitRequests returns when the server has received n requests or more, refused ones included; it
// fails as AwaitConnections does.
func (s *Server) AwaitRequests(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return len(s.requests) >= n })
}

// AwaitDrained returns when everything sent so far has been written to the connections, or belongs
// to connections that are gone; it fails as AwaitConnections does. Written means handed over to the
// network, which over TCP doesn't mean that the client has read it.
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

// await returns when done, called with s.mu held, is true.
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

// notify wakes those who await a change. The caller holds s.mu.
func (s *Server) notify() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
