package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/disconnect"
	"github.com/relaystream/autoconfig/internal/enum"
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
	// Interrupted means that the client was Valid, but the connection was lost, or what Source now has can't be used.
	Interrupted
	// Off means that the client has ended: it was closed, or failed for good.
	Off
)

// String returns the state's name in lower case.
func (s State) String() string {
	return enum.Name("State", s, []string{"initializing", "valid", "interrupted", "off"})
}

// MarshalText implements encoding.TextMarshaler with String, so that JSON shows the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Status describes a client at one moment.
type Status struct {
	// State is the state, and Since when it began.
	State State
	Since time.Time
	// Err is the last error, nil if there was none; it stays after a recovery. At is when it
	// occurred, and Code its HTTP status, 0 if it has none.
	Err  error
	At   time.Time
	Code int
	// Attempt counts the connection attempts since the client was last Valid, or since it was opened.
	Attempt int
	// NextAttempt is when the next attempt begins; zero while one is under way.
	NextAttempt time.Time
	// Cached reports that the configuration is a saved one, not yet replaced by the server's.
	Cached bool
	// OutdatedSince is the time since which the configuration may differ from the server's: when the client
	// was opened, or was last Valid. It is zero while the client is Valid.
	OutdatedSince time.Time
}

// A moment is one event in the life of a client. Status and the counts of Stats are scans of moments.
type moment struct {
	kind  momentKind
	err   error         // of lost, unusable and ended
	delay time.Duration // of lost and unusable: until the next attempt; negative if there is none
}

type momentKind uint8

const (
	attempting   momentKind = iota // an attempt to connect begins
	cachedSynced                   // a saved configuration was applied
	synced                         // a complete configuration of the server's was applied
	lost                           // the attempt or the connection has ended
	unusable                       // the configuration of a source, which stays connected, can't be used
	ended                          // the client has
)

// A life is what is known of a client's life so far.
type life struct {
	status   Status
	attempts uint64
	lost     [disconnect.Ended + 1]uint64
}

// after returns the life that m adds to l.
func (l life) after(m moment) life {
	switch m.kind {
	case attempting:
		l.attempts++
	case lost:
		l.lost[disconnect.ReasonOf(m.err)]++
	}
	l.status = l.status.after(m)
	return l
}

// after returns the status that follows s.
func (s Status) after(m moment) Status {
	before, now := s.State, time.Now()
	switch m.kind {
	case attempting:
		s.Attempt++
		s.NextAttempt = time.Time{}
	case cachedSynced:
		s.Cached = true
	case synced:
		s.State, s.Attempt, s.Cached = Valid, 0, false
	case lost, unusable:
		s.Err, s.At, s.Code = m.err, now, disconnect.StatusCode(m.err)
		if s.State == Valid {
			s.State = Interrupted
		}
		if m.delay >= 0 {
			s.NextAttempt = now.Add(m.delay)
		}
	case ended:
		s.State, s.NextAttempt = Off, time.Time{}
		if !errors.Is(m.err, ErrClosed) {
			s.Err, s.At, s.Code = m.err, now, disconnect.StatusCode(m.err)
		}
	}
	if s.State != before {
		s.Since = now
	}
	switch {
	case s.State == Valid:
		s.OutdatedSince = time.Time{}
	case before == Valid:
		s.OutdatedSince = now
	}
	return s
}

// statusLag is how many statuses may wait for a subscriber before it gets only the latest.
const statusLag = 64

// Status returns the present status, and then each that follows; the last has the State Off. A slow
// subscriber may miss intermediate statuses, never the latest.
func (c *Client) Status() stream.Observable[Status] {
	one := func(life) struct{} { return struct{}{} }
	latest := func(_, newer life) (life, stream.Place) { return newer, stream.AtNewer }
	lives := c.mustBeOpen().life.Observe(stream.Coalesce(statusLag, one, latest))
	return stream.Map(lives, func(l life) Status { return l.status })
}

// Stats counts what a client has done since it was opened.
type Stats struct {
	// Status is the present status.
	Status Status
	// Attempts counts connection attempts, Connections those that led to a stream of events, or to a message of
	// Options.Source.
	Attempts, Connections uint64
	// Bytes counts the bytes read from these streams, and Events the events in them: none with Options.Source.
	Bytes, Events uint64
	// Unusual counts environments in a form that is slow to decode: see decode.Options.OnUnusual.
	Unusual uint64
	// LastRead is when something, if only a comment, was last read from a connection, or a message came from
	// Options.Source; zero if nothing did. LastChange is when the configuration last changed; zero if it never did.
	LastRead, LastChange time.Time

	// The following count why attempts and connections ended. Every ended attempt is counted exactly
	// once, unless Close or the client's context ended it.

	ReconnectRequests uint64 // the server asked for another connection
	Malformed         uint64 // an event was malformed or too large
	Refused           uint64 // the keys of an environment contradict each other
	Rejected          uint64 // 401 or 403
	BadResponses      uint64 // another status than 200, a forbidden redirect, or no event stream
	TimedOut          uint64 // ConnectTimeout or IdleTimeout passed
	Ended             uint64 // the server ended the response in good order, or Options.Source completed
	Failed            uint64 // anything else: the network, Options.Key or Options.Source failed

	// State counts messages and what became of them, and what there is now.
	State diff.Stats
	// Subscribers describes the present subscribers of the changes; with a Cache, one of them saves.
	Subscribers []stream.SubscriptionStats
	// Delivery sums up what the subscribers of the changes were given, past ones included.
	Delivery stream.SubscriptionStats
	// Cache describes how Options.Cache is doing. What it loaded counts as a put in State.
	Cache CacheStats
}

// Stats returns the counts up to now. Counting goes on while they are read, so they may not add up exactly.
func (c *Client) Stats() Stats {
	l := c.mustBeOpen().life.Get()
	s := Stats{
		Status: l.status, Attempts: l.attempts, Connections: c.counters.Connections.Load(),
		Bytes: c.counters.Bytes.Load(), Events: c.counters.Events.Load(), Unusual: c.counters.Unusual.Load(),
		LastRead: c.counters.LastRead.Last(), LastChange: c.counters.LastChange.Last(),
		ReconnectRequests: l.lost[disconnect.Requested], Malformed: l.lost[disconnect.Malformed],
		Refused: l.lost[disconnect.Refused], Rejected: l.lost[disconnect.Rejected],
		BadResponses: l.lost[disconnect.BadResponse], TimedOut: l.lost[disconnect.TimedOut],
		Ended: l.lost[disconnect.Ended], Failed: l.lost[disconnect.Failed],
		Subscribers: c.changes.Subscribers(), Delivery: c.changes.Totals(), Cache: c.cache.Stats(),
	}
	c.changes.View(func() { s.State = c.state.Stats() })
	return s
}

// A Problem is what keeps a client from being healthy.
type Problem uint8

const (
	// NoConfiguration means that there is nothing to serve yet, not even a saved configuration.
	NoConfiguration Problem = iota + 1
	// Outdated means that the client can't reach the server or use what it sends: the configuration may be old.
	Outdated
	// Stalled means that the client does not read: a subscriber with the policy stream.Block does not return.
	Stalled
	// Ended means that the client was closed, or has failed for good.
	Ended
)

// String returns the problem in words.
func (p Problem) String() string {
	return enum.Name("Problem", p, []string{"", "no configuration", "outdated", "stalled", "ended"})
}

// MarshalText implements encoding.TextMarshaler with String, so that JSON shows the problem in words.
func (p Problem) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// A HealthError is what Client.Readiness and Client.Liveness found. Its text may name hosts and
// addresses; Problem is fit for an answer to anybody.
type HealthError struct {
	// Problem is what is wrong, and Since when it began.
	Problem Problem
	Since   time.Time
	// Err is what ended the client, ErrClosed for Close, or else the last error of a connection, if any.
	Err error
}

func (e *HealthError) Error() string {
	text := fmt.Sprintf("autoconfig: %v since %s", e.Problem, e.Since.UTC().Format(time.RFC3339))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *HealthError) Unwrap() error { return e.Err }

// Readiness reports whether the client has a configuration to serve, a saved one included: nil, or a
// *HealthError with the Problem NoConfiguration or Ended. It does not block. An interruption does not change
// the answer: the client goes on serving what it knows.
//
// It is meant for a readiness probe. Liveness tells whether a configuration is old: if all members of
// a fleet left the load balancer because none reaches the server, nobody would be served. A program with a
// subscriber of its own is ready when that subscriber has got its first Synced.
func (c *Client) Readiness() error {
	status := c.mustBeOpen().status()
	if status.State == Off {
		return c.endedError(status)
	}
	select {
	case <-c.ready:
		return nil
	default:
		return &HealthError{Problem: NoConfiguration, Since: status.Since, Err: status.Err}
	}
}

// Liveness reports whether the client is at work: nil, or a *HealthError with the Problem
//
//   - Ended, at once;
//   - Outdated, when it has not been Valid for longer than tolerance;
//   - Stalled, when it is Valid but has read nothing for longer than tolerance beyond Options.IdleTimeout. With
//     Options.Source, which may have nothing to say: when subscribers have held it up for longer than tolerance.
//
// It does not block. It is meant for a liveness probe with a tolerance of hours, because a restart does not
// end an outage of the service, and loses a configuration that is not saved; and for monitoring with a
// tolerance of minutes. A restart does help against Stalled and Ended.
func (c *Client) Liveness(tolerance time.Duration) error {
	status := c.mustBeOpen().status()
	problem := HealthError{Problem: Outdated, Since: status.OutdatedSince, Err: status.Err}
	switch status.State {
	case Off:
		return c.endedError(status)
	case Valid:
		since, passing := c.counters.PassingSince()
		if c.settings.Source != nil && !passing {
			return nil
		}
		problem = HealthError{Problem: Stalled, Since: since.Add(c.settings.IdleTimeout)}
	}
	if time.Since(problem.Since) <= tolerance {
		return nil
	}
	return &problem
}

func (c *Client) endedError(status Status) error {
	// The status became Off after err was set, and under a lock.
	return &HealthError{Problem: Ended, Since: status.Since, Err: c.err}
}

// tell passes a moment to the scans. It does not wait, because no subscriber has a policy that blocks, and its only
// error is that the client has ended.
func (c *Client) tell(m moment) {
	_ = c.life.Update(context.Background(), func(l life) life { return l.after(m) })
}

// status returns the present status. The zero Client, which can be printed, has the zero Status.
func (c *Client) status() Status {
	if c.life == nil {
		return Status{}
	}
	return c.life.Get().status
}
