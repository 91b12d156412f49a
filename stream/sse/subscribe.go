package sse

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/relaystream/autoconfig/internal/enum"
	"github.com/relaystream/autoconfig/stream"
)

// ErrRestart ends a connection of Subscribe that SubscribeOptions.Restart asked to end.
var ErrRestart = errors.New("sse: restarted on demand")

// SubscribeOptions are the options of Subscribe. The zero value is the defaults.
type SubscribeOptions struct {
	// Connect has the options of each connection. Without a Session, each subscription begins with a
	// fresh one.
	Connect ConnectOptions
	// Backoff says how long to wait after a failure, and which errors end the source: by default 1 s,
	// doubling to 30 s, and what the function Permanent says. Each subscription uses a copy, with the
	// Session of Connect.
	Backoff Backoff
	// Retry, if not nil, makes the policy of each subscription in the place of Backoff. Package stream
	// makes one of any back-off of github.com/cenkalti/backoff/v4.
	Retry func() stream.RetryPolicy
	// Restart, if not nil, drops the connection at each value that it delivers and connects again
	// at once, also in the middle of a wait. Of several subscriptions one gets the value.
	Restart <-chan struct{}
	// OnState, if not nil, is called on the subscribing goroutine with each state that the source enters,
	// in order with the events.
	OnState func(State)
}

// A StateKind says what a source is doing.
type StateKind uint8

// The states of a source: Connecting, then perhaps Open, then Waiting, and so on, until it is Ended.
const (
	// Connecting: an attempt has begun.
	Connecting StateKind = iota + 1
	// Open: a valid response is there.
	Open
	// Waiting: the connection, or the attempt, has failed, and the next one is due.
	Waiting
	// Ended: nothing follows.
	Ended
)

// String returns the name of the state.
func (k StateKind) String() string {
	names := []string{"none", Connecting: "connecting", Open: "open", Waiting: "waiting", Ended: "ended"}
	return enum.Name("StateKind", k, names)
}

// A State is a moment in the life of a source.
type State struct {
	Kind StateKind
	// Response is the response, without its body, when the source is Open. Its header, and the request in
	// it, may hold secrets.
	Response *http.Response
	// Err is what the connection failed with when the source is Waiting or Ended. It is nil in a source
	// that ended because its subscriber asked to stop.
	Err error
	// Next is when the next attempt is due, when the source is Waiting.
	Next time.Time
}

// String returns the name of the state and the error.
func (s State) String() string {
	text := s.Kind.String()
	if s.Err != nil {
		text += ": " + s.Err.Error()
	}
	return text
}

// MarshalText gives the text of String to encoders of JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Subscribe is a source of events that reconnects. Each subscription makes a connection as Connect does,
// and another one whenever that fails, after a delay that Backoff says. It goes on from the last event
// ID, and with the reconnection time, that the server has set.
//
// It ends with nil when yield asks to stop; with the context's cause; with the error that Permanent, or
// the policy of the caller, considers permanent; with ErrInvalidOption. An error of newRequest is
// retried like one of the network, unless it is or wraps a *backoff.PermanentError.
//
// A request with a body is sent again as a whole at each attempt. Where that is not wanted, because the
// server ends a stream that is complete, use Connect, or stop at the event that says so.
//
// The options are copied at the call. A nil newRequest panics.
func Subscribe(newRequest RequestFunc, o *SubscribeOptions) stream.Observable[Event] {
	if newRequest == nil {
		panic("sse: Subscribe with a nil newRequest")
	}
	var opts SubscribeOptions
	if o != nil {
		opts = *o
	}
	_, invalid := opts.Connect.resolve()
	return func(ctx context.Context, yield func(Event) bool) error {
		if invalid != nil {
			return invalid
		}
		s := newSource(newRequest, opts)
		err := s.run(ctx, yield)
		s.enter(State{Kind: Ended, Err: err})
		return err
	}
}

// A source is one subscription to Subscribe.
type source struct {
	connection stream.Observable[Event]
	backoff    Backoff
	policy     stream.RetryPolicy
	restart    <-chan struct{}
	onState    func(State)
}

func newSource(newRequest RequestFunc, o SubscribeOptions) *source {
	s := &source{backoff: o.Backoff, restart: o.Restart, onState: o.OnState}
	connect := o.Connect
	if connect.Session == nil {
		connect.Session = new(Session)
	}
	s.backoff.Session = connect.Session
	s.policy = s.backoff.Next
	if o.Retry != nil {
		s.policy = o.Retry()
	}
	connect.OnOpen = func(resp *http.Response) {
		s.backoff.Opened()
		s.enter(State{Kind: Open, Response: resp})
		if o.Connect.OnOpen != nil {
			o.Connect.OnOpen(resp)
		}
	}
	s.connection = Connect(newRequest, &connect)
	return s
}

func (s *source) enter(state State) {
	if s.onState != nil {
		s.onState(state)
	}
}

// run connects until it is told to stop.
func (s *source) run(ctx context.Context, yield func(Event) bool) error {
	for {
		s.enter(State{Kind: Connecting})
		err := s.connect(ctx, yield)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		delay := s.delay(err)
		if delay < 0 {
			return err
		}
		s.enter(State{Kind: Waiting, Err: err, Next: time.Now().Add(delay)})
		if err := s.wait(ctx, delay); err != nil {
			return err
		}
	}
}

// connect makes one connection. It returns ErrRestart if that was asked for meanwhile.
func (s *source) connect(ctx context.Context, yield func(Event) bool) error {
	if s.restart == nil {
		return s.connection(ctx, yield)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	restarted := false
	var watching sync.WaitGroup
	watching.Go(func() {
		if restarted = s.restarted(ctx); restarted {
			cancel(ErrRestart)
		}
	})
	err := func() error {
		defer watching.Wait()
		defer cancel(nil)
		return s.connection(ctx, yield)
	}()
	if err != nil && restarted {
		return ErrRestart // also if the connection ended by itself in that moment
	}
	return err
}

// restarted waits for a restart, and reports false if ctx ends before.
func (s *source) restarted(ctx context.Context) bool {
	select {
	case _, ok := <-s.restart:
		return ok // a closed channel asks for nothing
	case <-ctx.Done():
		return false
	}
}

func (s *source) delay(err error) time.Duration {
	if err == ErrRestart {
		s.backoff.Ended()
		return 0
	}
	return s.policy(err)
}

// wait waits until the next attempt is due, or a restart is asked for. Its error is the context's cause.
func (s *source) wait(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for restart := s.restart; ; restart = nil { // closed
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return nil
		case _, ok := <-restart:
			if ok {
				return nil
			}
		}
	}
}
