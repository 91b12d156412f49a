package sse

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
)

const (
	// DefaultInitialDelay is the default of Backoff.Initial.
	DefaultInitialDelay = time.Second
	// DefaultMaxDelay is the default of Backoff.Max.
	DefaultMaxDelay = 30 * time.Second

	healthyAfter    = time.Minute
	minGrowingDelay = time.Millisecond // where a base delay of 0 begins to grow
	maxRetryAfter   = time.Hour
)

// A Backoff decides how long an event source waits before it connects again. Its method Next is a
// stream.RetryPolicy. The zero value is ready to use.
//
// The delay starts at a base, which is Initial unless the server has sent a retry field, and doubles
// with each failure up to Max. It returns to the base after a connection that was open for at least a
// minute. Up to a half of each delay is taken off at random, so that clients do not return in step.
//
// With a base of 0 the first retry is immediate, and later ones grow from 1 ms.
//
// A Retry-After header of a refusal, in seconds or as a date, is the least delay, up to 1 h; up to a
// half of it is added at random. A date is compared with the Date header of the same response, if
// there is one, because the clocks of client and server may differ.
//
// A Backoff is not safe for concurrent use. Its fields must not change after the first call of Next.
type Backoff struct {
	// Initial is the base delay before the server has set one. 0 means DefaultInitialDelay, 1 s; a
	// negative duration means no delay.
	Initial time.Duration
	// Max limits the growth of the delay, but never shortens the base. 0 means DefaultMaxDelay, 30 s.
	Max time.Duration
	// Session, if not nil, is where the server's retry field is looked up.
	Session *Session
	// Permanent reports whether the source should give up after err. Nil means the function Permanent.
	Permanent func(err error) bool

	failures int       // since the delay was at its base
	openedAt time.Time // zero while no connection is open
}

// Opened records that a connection is open.
func (b *Backoff) Opened() { b.openedAt = time.Now() }

// Ended records that the connection has ended. Next does the same, so that only a policy that
// answers some errors without Next calls it.
func (b *Backoff) Ended() {
	if !b.openedAt.IsZero() && time.Since(b.openedAt) >= healthyAfter {
		b.failures = 0
	}
	b.openedAt = time.Time{}
}

// Next returns how long to wait after a connection, or an attempt to make one, that ended with err.
// A negative duration (backoff.Stop) means to give up.
func (b *Backoff) Next(err error) time.Duration {
	b.Ended()
	permanent := b.Permanent
	if permanent == nil {
		permanent = Permanent
	}
	if permanent(err) {
		return backoff.Stop
	}
	return max(b.grow(), retryAfter(err))
}

// Permanent is the default of Backoff.Permanent. It reports whether err makes another attempt
// unwanted or hopeless: a *StatusError of 204 (the server asks the client to stop), or of 400 to 499
// except 408, 425 and 429 (the request is wrong); ErrInvalidOption; or an error that is or wraps a
// *backoff.PermanentError. Browsers give up after any status but 200 and any other content type. Such
// answers often come from a proxy, or from a server that is starting, so Permanent is false for them.
func Permanent(err error) bool {
	if marked := (*backoff.PermanentError)(nil); errors.As(err, &marked) || errors.Is(err, ErrInvalidOption) {
		return true
	}
	status := (*StatusError)(nil)
	if !errors.As(err, &status) {
		return false
	}
	switch status.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	default:
		return status.Code == http.StatusNoContent || status.Code/100 == 4
	}
}

// grow returns the next delay. It counts failures instead of keeping the last delay, so that a server
// that changes the base does not stop the growth.
func (b *Backoff) grow() time.Duration {
	n := b.failures
	b.failures++
	base := b.base()
	if base <= 0 {
		if n == 0 {
			return 0
		}
		base, n = minGrowingDelay, n-1
	}
	limit := b.Max
	if limit <= 0 {
		limit = DefaultMaxDelay
	}
	d := base
	for ; n > 0 && d < limit; n-- {
		d += min(d, limit-d) // doubled, without overflow
	}
	return d - rand.N(d/2+1)
}

func (b *Backoff) base() time.Duration {
	if b.Session != nil {
		if d, ok := b.Session.Retry(); ok {
			return d
		}
	}
	if b.Initial == 0 {
		return DefaultInitialDelay
	}
	return b.Initial
}

// retryAfter returns the least delay that the server asked for, with up to a half added at random.
func retryAfter(err error) time.Duration {
	status := (*StatusError)(nil)
	if !errors.As(err, &status) {
		return 0
	}
	d := min(max(parseRetryAfter(status.Header), 0), maxRetryAfter)
	return d + rand.N(d/2+1)
}

func parseRetryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	// Out of range, seconds is the nearest number that is in range.
	if seconds, err := strconv.Atoi(value); err == nil || errors.Is(err, strconv.ErrRange) {
		// Compared before it is multiplied, which could overflow.
		return time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return date.Sub(now)
}
