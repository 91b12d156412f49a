package autoconfig

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A State is what a client is doing, in one word.
type State uint8

const (
	// Initializing means that the server's configuration has not arrived yet. There may be a saved one:
	// see Status.Cached.
	Initializing State = iota
	// Valid means that the server's complete configuration has arrived on the present connection.
	Valid
	// Interrupted means that there was a configuration, and that the connection has to be made anew.
	Interrupted
	// Off means that the client has ended: it was closed, or failed for good.
	Off
)

// String returns the state's name in lower case.
func (s State) String() string {
	names := [...]string{"initializing", "valid", "interrupted", "off"}
	if int(s) >= len(names) {
		return "State(" + strconv.Itoa(int(s)) + ")"
	}
	return names[s]
}

// A Status describes a client at one moment.
type Status struct {
	// State is the state, and Since when it began.
	State State
	Since time.Time
	// Err is the last error, nil if there was none; it stays after a recovery. At is when it
	// occurred, and Code the HTTP status that it is about, 0 if it is about something else.
	Err  error
	At   time.Time
	Code int
	// Attempt counts the connection attempts since the client was Valid, or since it was opened.
	Attempt int
	// NextAttempt is when the next attempt will be made; zero while one is being made.
	NextAttempt time.Time
	// Cached tells that the configuration is a saved one, and not yet the server's.
	Cached bool
	// OutdatedSince is since when the configuration may differ from the server's: when the client was
	// opened, or when it was last Valid. It is zero while it is Valid.
	OutdatedSince time.Time
}

// The moments at which the client's status changes.

func (c *Client) attempting() {
	c.counters.attempts.Add(1)
	c.journal.connecting(c.settings.url)
	c.board.change(func(s *Status) {
		s.Attempt++
		s.NextAttempt = time.Time{}
	})
}

func (c *Client) opened() {
	c.counters.connections.Add(1)
	c.policy.opened()
	c.keeper.connected()
}

// synced is called by the state, which is locked.
func (c *Client) synced(cached bool) {
	if !cached {
		c.policy.synced = true
		c.keeper.synced()
	}
	c.board.change(func(s *Status) {
		s.Cached = cached
		if !cached {
			s.State, s.Attempt = Valid, 0
		}
	})
	c.once.Do(func() { close(c.ready) })
}

// failed is told why a connection ended and when the next one follows.
func (c *Client) failed(err error, delay time.Duration) {
	c.counters.lost(err)
	c.journal.failed(err, delay)
	if delay < 0 {
		return // ended will tell
	}
	c.board.change(func(s *Status) {
		s.Err, s.At, s.Code = err, time.Now(), statusCode(err)
		s.NextAttempt = s.At.Add(delay)
		if s.State == Valid {
			s.State = Interrupted
		}
	})
}

// ended is told why the client has ended.
func (c *Client) ended(err error) {
	c.board.change(func(s *Status) {
		s.State, s.NextAttempt = Off, time.Time{}
		if !errors.Is(err, ErrClosed) {
			s.Err, s.At, s.Code = err, time.Now(), statusCode(err)
		}
	})
}

// statusLag is how many statuses may wait for a subscriber before only the latest one does.
const statusLag = 64

// A statusBoard holds the status and tells subscribers of its changes. Its zero value is not usable.
type statusBoard struct{ current *stream.Behavior[Status] }

func newStatusBoard() *statusBoard {
	now := time.Now()
	return &statusBoard{stream.NewBehavior(Status{Since: now, OutdatedSince: now})}
}

// observe returns the observable of the status: the present one, and every later one. Who falls
// behind by more than statusLag misses some, but not the latest.
func (b *statusBoard) observe() stream.Observable[Status] {
	one := func(Status) struct{} { return struct{}{} }
	latest := func(_, newer Status) (Status, stream.Place) { return newer, stream.AtNewer }
	return b.current.Observe(stream.Coalesce(statusLag, one, latest))
}

// change applies f to the status. Since and OutdatedSince follow by themselves.
func (b *statusBoard) change(f func(s *Status)) {
	// No subscriber has a policy that blocks, and after the end nothing needs telling, so there is
	// neither waiting nor an error to handle.
	_ = b.current.Update(context.Background(), func(s Status) Status {
		before := s.State
		f(&s)
		if s.State != before {
			s.Since = time.Now()
		}
		switch {
		case s.State == Valid:
			s.OutdatedSince = time.Time{}
		case before == Valid:
			s.OutdatedSince = s.Since
		}
		return s
	})
}

// get returns the present status.
func (b *statusBoard) get() Status { return b.current.Get() }

// close ends the subscriptions.
func (b *statusBoard) close() { b.current.Close(nil) }
