package autoconfig

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream/sse"
)

// What follows after a connection has ended:
//
//	at once   the server's reconnect request on a connection that delivered a put: within 1 s, at
//	          random, so that a fleet does not stampede; but not twice within 60 s
//	never     204 (the server asks us to stop), an error that Options.Key says is permanent, and a
//	          rejected key where that is to be fatal
//	slow      a rejected key (401, 403): 5 min, doubling to 1 h; a success returns to normal
//	normal    all else: 1 s (or what the caller or the server's retry field says), doubling to 30 s;
//	          at least what Retry-After says
//
// Of each delay up to a half is taken off at random. The normal delay returns to its base when a
// connection has been open for 60 s, and for nothing else: another base is doubled as often as the one
// before.
const (
	maxNormalDelay  = 30 * time.Second
	minGrowingDelay = time.Millisecond // where a base of 0 begins to grow
	slowDelay       = 5 * time.Minute
	maxSlowDelay    = time.Hour
	maxRetryAfter   = time.Hour
	atOnceDelay     = time.Second
	atOnceInterval  = time.Minute
	healthyAfter    = time.Minute
)

// A reconnection is the policy of reconnection and what it has to remember. It is used by one
// goroutine.
type reconnection struct {
	initial       time.Duration // the base delay, unless the server sets another one
	stopOnBadKey  bool
	session       *sse.Session
	slow          *backoff.ExponentialBackOff
	attempts      int       // made on the normal schedule since it began
	openedAt      time.Time // of the connection that is ending; zero if it was never open
	synced        bool      // whether that connection delivered a put
	lastImmediate time.Time // when the server's request was last followed at once
}

func newReconnection(s *settings, session *sse.Session) *reconnection {
	slow := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(slowDelay), backoff.WithMultiplier(2), backoff.WithMaxInterval(maxSlowDelay),
		backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
	return &reconnection{initial: s.InitialRetryDelay, stopOnBadKey: s.StopOnRejectedKey, session: session, slow: slow}
}

// opened notes that the connection is open.
func (r *reconnection) opened() { r.openedAt, r.synced = time.Now(), false }

// next returns the delay after a connection that ended with err; negative to give up.
func (r *reconnection) next(err error) time.Duration {
	now, synced := time.Now(), r.synced
	if !r.openedAt.IsZero() {
		r.slow.Reset()
		if now.Sub(r.openedAt) >= healthyAfter {
			r.attempts = 0
		}
	}
	r.openedAt, r.synced = time.Time{}, false

	switch {
	case permanent(err), r.stopOnBadKey && rejected(err):
		return backoff.Stop
	case errors.Is(err, decode.ErrReconnect) && synced && now.Sub(r.lastImmediate) >= atOnceInterval:
		r.lastImmediate = now
		return rand.N(atOnceDelay)
	case rejected(err):
		return jitter(r.slow.NextBackOff())
	default:
		return max(r.nextNormal(), retryAfter(err, now))
	}
}

// nextNormal returns the delay of the normal schedule. How far it has grown is counted apart from its
// base: a back-off that is made anew for each base would begin anew for a server that keeps changing it.
func (r *reconnection) nextNormal() time.Duration {
	base := r.initial
	if retry, ok := r.session.Retry(); ok {
		base = retry
	}
	n := r.attempts
	r.attempts++
	if base == 0 {
		if n == 0 {
			return 0
		}
		base, n = minGrowingDelay, n-1
	}
	return jitter(doubled(base, n))
}

// doubled returns base after n doublings, to 30 s at most, or to base if that is more.
func doubled(base time.Duration, n int) time.Duration {
	for ; n > 0 && base < maxNormalDelay; n-- {
		base = min(2*base, maxNormalDelay)
	}
	return base
}

// jitter takes up to a half off, at random.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/2+1) }

// permanent reports whether another attempt is not wanted or can't succeed.
func permanent(err error) bool {
	var gone *backoff.PermanentError
	return statusCode(err) == http.StatusNoContent || errors.As(err, &gone) ||
		errors.Is(err, sse.ErrInvalidOption)
}

// rejected reports whether the server did not accept the key.
func rejected(err error) bool {
	code := statusCode(err)
	return code == http.StatusUnauthorized || code == http.StatusForbidden
}

// statusCode returns the HTTP status that err is about, 0 if it is about something else.
func statusCode(err error) int {
	var status *sse.StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}

// retryAfter returns how long the server wants us to wait, 0 if it does not say, and no more than
// an hour.
func retryAfter(err error, now time.Time) time.Duration {
	var status *sse.StatusError
	if !errors.As(err, &status) {
		return 0
	}
	value := status.Header.Get("Retry-After")
	// Out of range, it is the nearest number that is not.
	if seconds, err := strconv.Atoi(value); err == nil || errors.Is(err, strconv.ErrRange) {
		// Compared before it is multiplied, which could overflow.
		return time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
