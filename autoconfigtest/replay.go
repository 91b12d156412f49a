package autoconfigtest

import (
	"context"
	"errors"
	"iter"
	"net/http"
)

// ErrClientLeft reports a step on a connection that the client has left. A [TranscriptError] wraps it.
var ErrClientLeft = errors.New("autoconfigtest: the client has left the connection")

// Replay makes the server play its part of a transcript. Call Replay before the client connects:
// it plans the answers to the next requests at once (see [Server.Next]). Then iterate, once. Each
// iteration performs the steps up to the next expectations and yields these, without their marks;
// the caller waits until they are met, or fails. Steps after the last expectation are performed
// too, and yield nothing. No step waits for the client to read, but the first step on a new
// connection waits for the client to connect.
//
// A step that can't be performed, for example because the client never connects again, ends the
// iteration: it yields a *[TranscriptError] with the line of the step, which wraps the cause of
// ctx, [ErrClientLeft] or http.ErrServerClosed.
//
// The server should be new: with nothing sent, and no client connected.
func (t *Transcript) Replay(ctx context.Context, s *Server) iter.Seq2[[]string, error] {
	r := &replay{server: s, number: s.plan(t.faults())}
	return func(yield func([]string, error) bool) {
		var expected []string
		for _, step := range t.steps {
			if step.act == actExpect {
				expected = append(expected, step.text)
				continue
			}
			if len(expected) > 0 && !yield(expected, nil) {
				return
			}
			expected = nil
			if err := r.do(ctx, step); err != nil {
				yield(nil, &TranscriptError{Line: step.line, Err: err})
				return
			}
		}
		if len(expected) > 0 && !yield(expected, nil) {
			return
		}
		if err := r.drain(ctx); err != nil {
			yield(nil, err)
		}
	}
}

// faults returns a fault for each request of the client; nil stands for a stream.
func (t *Transcript) faults() []Fault {
	var faults []Fault
	open := false
	for _, step := range t.steps {
		if step.act == actExpect {
			continue
		}
		if !open {
			faults = append(faults, step.fault)
		}
		open = step.act == actSend
	}
	return faults
}

// plan is Next. It returns the number of the last request before those of faults.
func (s *Server) plan(faults []Fault) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.admitted + len(s.faults)
	s.faults = append(s.faults, faults...)
	return before
}

type replay struct {
	server  *Server
	number  int            // of the request that was opened or answered last
	current *exchange      // the open stream; nil if there is none
	played  []playedStream // all streams, to be drained in the end
}

// A playedStream is a stream and the line of its last step.
type playedStream struct {
	x    *exchange
	line int
}

func (r *replay) do(ctx context.Context, step step) error {
	if r.current == nil {
		r.number++
		if step.answers() {
			return r.answer(ctx, step)
		}
		x, err := r.server.awaitStream(ctx, r.number)
		if err != nil {
			return err
		}
		r.current = x
		r.played = append(r.played, playedStream{x: x})
	}
	x := r.current
	r.played[len(r.played)-1].line = step.line
	if step.act != actSend {
		r.current = nil
	}
	if step.act == actLeave {
		return r.server.await(ctx, func() bool { return r.server.gone(x) })
	}
	return r.server.play(x, step)
}

// drain waits until everything sent has been written.
func (r *replay) drain(ctx context.Context) error {
	for _, p := range r.played {
		err := r.server.await(ctx, func() bool { return p.x.drained() || r.server.gone(p.x) })
		if err != nil {
			return &TranscriptError{Line: p.line, Err: err}
		}
	}
	return nil
}

// answer waits for a request whose answer is planned.
func (r *replay) answer(ctx context.Context, step step) error {
	s := r.server
	return s.await(ctx, func() bool {
		return s.admitted >= r.number && (step.act != actHang || s.exchange(r.number) == nil)
	})
}

// awaitStream returns the stream that answers an admitted request.
func (s *Server) awaitStream(ctx context.Context, number int) (*exchange, error) {
	var x *exchange
	err := s.await(ctx, func() bool {
		x = s.exchange(number)
		return x != nil && x.open && x.begun || x == nil && s.admitted >= number
	})
	if err == nil && x == nil {
		err = ErrClientLeft
	}
	return x, err
}

// play performs a step on a stream. What ends it takes effect after everything sent before.
func (s *Server) play(x *exchange, step step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone(x) || !x.open {
		return ErrClientLeft
	}
	switch step.act {
	case actSend:
		x.send([]byte(step.text))
	case actEnd:
		s.end(x, nil)
	case actCut:
		s.end(x, func(r *http.Request) { hangUp(r, false) })
	case actReset:
		s.end(x, func(r *http.Request) { hangUp(r, true) })
	}
	return nil
}

// exchange returns the admitted request with this number, nil if it is not being answered. The caller
// holds s.mu.
func (s *Server) exchange(number int) *exchange {
	for x := range s.exchanges {
		if x.number == number {
			return x
		}
	}
	return nil
}

// gone reports whether an exchange is over. The caller holds s.mu.
func (s *Server) gone(x *exchange) bool {
	_, ok := s.exchanges[x]
	return !ok
}
