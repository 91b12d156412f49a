// Package reconnect has Relay's rules of reconnection, on top of those of any event source, which
// sse.Backoff has:
//
//	at once   the server's reconnect request on a connection that delivered a put: within 1 s, at
//	          random, so that a fleet does not stampede; not twice within 60 s
//	slow      a rejected key (401, 403): 5 min, doubling to 1 h; a connection that opens returns to the
//	          normal schedule
//	never     a rejected key where that is to be fatal; 204, except where it is to be retried
package reconnect

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/internal/disconnect"
	"github.com/relaystream/autoconfig/stream/sse"
)

const (
	slowDelay      = 5 * time.Minute
	maxSlowDelay   = time.Hour
	atOnceDelay    = time.Second
	atOnceInterval = time.Minute
)

// A Policy decides how long a client waits before it connects again. It remembers what it has seen
// of the connections. Only one goroutine may use it.
type Policy struct {
	// InitialDelay is the base of the normal schedule until the server sets another one. It must be positive.
	InitialDelay time.Duration
	// StopOnRejectedKey makes a rejected key fatal.
	StopOnRejectedKey bool
	// RetryNoContent makes 204 retried on the normal schedule.
	RetryNoContent bool
	// Session is where the server's retry field is looked up.
	Session *sse.Session

	normal, slow *sse.Backoff // nil before they are needed
	synced       bool         // whether the connection that is ending delivered a put
	followed     time.Time    // when a reconnect request was last followed at once
}

// Opened records that a connection is open.
func (p *Policy) Opened() {
	p.synced, p.slow = false, nil
	p.schedule().Opened()
}

// Synced records that the connection has delivered a put.
func (p *Policy) Synced() { p.synced = true }

// Next returns the delay after a connection that ended with err. A negative delay means to give up.
func (p *Policy) Next(err error) time.Duration {
	synced := p.synced
	p.synced = false
	switch reason := disconnect.ReasonOf(err); {
	case reason == disconnect.Rejected:
		p.schedule().Ended()
		return p.rejected(err)
	case reason == disconnect.Requested && synced && time.Since(p.followed) >= atOnceInterval:
		p.schedule().Ended()
		p.followed = time.Now()
		return rand.N(atOnceDelay)
	default:
		return p.schedule().Next(err)
	}
}

func (p *Policy) rejected(err error) time.Duration {
	if p.StopOnRejectedKey {
		return backoff.Stop
	}
	if p.slow == nil {
		p.slow = &sse.Backoff{Initial: slowDelay, Max: maxSlowDelay, Permanent: func(error) bool { return false }}
	}
	return p.slow.Next(err)
}

// schedule returns the normal schedule.
func (p *Policy) schedule() *sse.Backoff {
	if p.normal == nil {
		p.normal = &sse.Backoff{Initial: p.InitialDelay, Session: p.Session, Permanent: p.permanent}
	}
	return p.normal
}

// permanent reports whether another attempt is not wanted, or cannot succeed.
func (p *Policy) permanent(err error) bool {
	var marked *backoff.PermanentError
	return disconnect.StatusCode(err) == http.StatusNoContent && !p.RetryNoContent ||
		errors.As(err, &marked) || errors.Is(err, sse.ErrInvalidOption)
}
