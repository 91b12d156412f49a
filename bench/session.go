package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/relaystream/autoconfig/bench/feed"
	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
)

// A session is a peer that is connected to the feed.
type session struct {
	peer  peers.Peer
	conn  *feed.Conn
	sink  *sink
	ctx   context.Context // done when the peer has ended, with its error in the cause
	again <-chan *feed.Conn
	end   func() error

	patience time.Duration
	cancel   context.CancelCauseFunc
}

// errLost reports a peer that has not read everything in time.
var errLost = errors.New("the peer has not read everything in time")

// A part is a section of a stream that ends with an update of the mark.
type part struct {
	*feed.Segment
	// counts are the calls of the handler, from the start of the stream to the end of the part.
	counts synth.Counts
}

// connect starts the peer and plays the first parts to it.
func connect(ctx context.Context, w *world, peer peers.Peer, first ...part) (*session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{
		peer: peer, ctx: ctx, cancel: cancel, patience: w.patience,
		again: w.server.Requests(), sink: &sink{mark: w.mark, done: make(chan time.Time, 1)},
	}
	transport := &http.Transport{}
	ended := make(chan error, 1)
	go func() {
		err := peer.Run(ctx, &http.Client{Transport: transport}, w.server.URL, s.sink)
		ended <- err
		cancel(fmt.Errorf("the peer ended: %w", err))
	}()
	conn, err := w.server.Accept(ctx)
	if err != nil {
		cancel(err)
		return nil, errors.Join(err, <-ended)
	}
	s.conn = conn
	// A peer that stops reading must not block the end of the program.
	closing := context.AfterFunc(ctx, func() { _ = conn.Close() })
	s.end = func() error {
		cancel(nil)
		err := <-ended
		transport.CloseIdleConnections()
		if closing() {
			_ = conn.Close()
		}
		return err
	}
	for _, p := range first {
		if _, err := s.play(p); err != nil {
			return nil, errors.Join(err, s.end())
		}
	}
	return s, nil
}

// play sends the part and returns the time until the peer has read it.
func (s *session) play(p part) (time.Duration, error) {
	defer s.limit(p)()
	s.sink.expect(s.peer.Level, p.Bytes, p.Events)
	start := time.Now()
	if err := s.conn.Send(p.Segment); err != nil && !errors.Is(err, net.ErrClosed) {
		return 0, err
	}
	elapsed, err := s.wait(start)
	if err == nil && s.peer.Level == peers.Changes && s.sink.counts != p.counts {
		err = fmt.Errorf("the handler was told of %+v, want %+v", s.sink.counts, p.counts)
	}
	return elapsed, err
}

// limit ends the peer if it takes far longer for the part than the slowest peer. The function that it
// returns lifts the limit.
func (s *session) limit(p part) (lift func() bool) {
	const perByte = time.Microsecond
	return time.AfterFunc(s.patience+time.Duration(p.Bytes)*perByte, func() { s.cancel(errLost) }).Stop
}

// wait waits until the peer has read everything, and returns how long after start that was.
func (s *session) wait(start time.Time) (time.Duration, error) {
	select {
	case at := <-s.sink.done:
		return at.Sub(start), nil
	case conn := <-s.again:
		_ = conn.Close()
		return 0, errors.New("the peer lost its connection and made another one")
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}
