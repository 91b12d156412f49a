package autoconfig

import (
	"fmt"
	"strconv"
	"time"
)

// A Problem is what keeps a client from being healthy.
type Problem uint8

const (
	// NoConfiguration means that there has been no configuration yet, not even a saved one: there is
	// nothing to serve.
	NoConfiguration Problem = iota + 1
	// Outdated means that the configuration may differ from the server's, because the client is not
	// Valid: it can't reach the server, or not use what that sends.
	Outdated
	// Stalled means that the client is connected and does not read: a subscriber with the policy
	// stream.Block does not return, or Options.Logger.
	Stalled
	// Ended means that the client was closed, or has failed for good.
	Ended
)

// String returns the problem in words.
func (p Problem) String() string {
	names := [...]string{"", "no configuration", "outdated", "stalled", "ended"}
	if p == 0 || int(p) >= len(names) {
		return "Problem(" + strconv.Itoa(int(p)) + ")"
	}
	return names[p]
}

// A HealthError is what Client.Readiness and Client.Liveness have found. Its text may name hosts and
// addresses; Problem is fit for an answer to anybody.
type HealthError struct {
	// Problem is what is wrong, and Since when it began.
	Problem Problem
	Since   time.Time
	// Err is what ended the client if it has ended, ErrClosed for Close, and otherwise the last error
	// of a connection; nil if there was none.
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

// Readiness tells whether the client has a configuration to serve, a saved one included: nil, or a
// *HealthError with the Problem NoConfiguration or Ended. An interruption, however long, changes
// nothing about that: what is known is served on. It answers at once.
//
// It is meant for a readiness probe. That a configuration has become old is for Liveness to tell: a
// fleet whose members all leave the load balancer because they all miss the same server serves
// nobody.
func (c *Client) Readiness() error {
	status := c.board.get()
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

// Liveness tells whether the client is at work: nil, or a *HealthError with the Problem
//
//   - Ended, at once;
//   - Outdated, when it has not been Valid for longer than tolerance;
//   - Stalled, when it is Valid but has read nothing for longer than Options.IdleTimeout, up to which
//     silence is the server's right, and tolerance.
//
// It answers at once, and nothing but the passing of time makes it fail during an interruption.
//
// It is meant for a liveness probe with a tolerance of hours, because a restart does not end the
// service's outage, and loses a configuration that is not saved; and for monitoring with a tolerance
// of minutes. A restart does help against Stalled and Ended.
func (c *Client) Liveness(tolerance time.Duration) error {
	status := c.board.get()
	problem := HealthError{Problem: Outdated, Since: status.OutdatedSince, Err: status.Err}
	switch status.State {
	case Off:
		return c.endedError(status)
	case Valid:
		problem = HealthError{Problem: Stalled, Since: c.counters.lastReadAt().Add(c.settings.IdleTimeout)}
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
