package reconnect_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/reconnect"
	"github.com/relaystream/autoconfig/stream/sse"
)

var errNetwork = errors.New("no network")

func status(code int) error { return fmt.Errorf("wrapped: %w", &sse.StatusError{Code: code}) }

// A step of a connection's life: the connection opens, delivers a put, lasts, and ends with an error. Each of
// them may be left out. The delay that follows is from half of base up to base; never means to give up.
type step struct {
	open, synced bool
	lasts        time.Duration
	err          error
	base         time.Duration
}

const never = -1

// follow has the policy go through the steps, in virtual time.
func follow(t *testing.T, p *reconnect.Policy, steps []step) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		for i, s := range steps {
			if s.open {
				p.Opened()
			}
			if s.synced {
				p.Synced()
			}
			time.Sleep(s.lasts)
			delay := p.Next(s.err)
			switch {
			case s.base == never && delay >= 0:
				t.Errorf("step %d, %v: the delay is %v, want none", i, s.err, delay)
			case s.base != never && (delay < s.base/2 || delay > s.base):
				t.Errorf("step %d, %v: the delay is %v, want %v to %v", i, s.err, delay, s.base/2, s.base)
			}
			time.Sleep(max(delay, 0))
		}
	})
}

func TestSchedules(t *testing.T) {
	const second, minute = time.Second, time.Minute
	rejected, forbidden := status(http.StatusUnauthorized), status(http.StatusForbidden)
	for name, steps := range map[string][]step{
		"normal": {
			{err: errNetwork, base: second}, {err: status(503), base: 2 * second}, {err: status(404), base: 4 * second},
			{open: true, err: &decode.MalformedError{}, base: 8 * second}, {open: true, err: &decode.RefusedError{}, base: 16 * second},
			{err: sse.ErrConnectTimeout, base: 30 * second}, {open: true, err: sse.ErrEndOfStream, base: 30 * second},
		},
		"a minute of connection ends the growth": {
			{err: errNetwork, base: second}, {err: errNetwork, base: 2 * second},
			{open: true, lasts: minute - 1, err: errNetwork, base: 4 * second},
			{open: true, lasts: minute, err: errNetwork, base: second},
		},
		"slow": {
			{err: rejected, base: 5 * minute}, {err: forbidden, base: 10 * minute}, {err: rejected, base: 20 * minute},
			{err: rejected, base: 40 * minute}, {err: rejected, base: 60 * minute}, {err: rejected, base: 60 * minute},
		},
		"a connection that opens ends the slow schedule": {
			{err: rejected, base: 5 * minute}, {err: rejected, base: 10 * minute},
			{open: true, err: errNetwork, base: second}, {err: rejected, base: 5 * minute},
		},
		"another failure does not": {
			{err: rejected, base: 5 * minute}, {err: errNetwork, base: second}, {err: rejected, base: 10 * minute}, {err: errNetwork, base: 2 * second},
		},
		"a rejected connection was open, too": {
			{err: errNetwork, base: second}, {err: errNetwork, base: 2 * second},
			{open: true, lasts: minute, err: rejected, base: 5 * minute}, {err: errNetwork, base: second},
		},
		"a rejection is not healthy time": {
			{err: errNetwork, base: second}, {open: true, err: rejected, base: 5 * minute}, {lasts: minute, err: errNetwork, base: 2 * second},
		},
		"204": {{err: status(http.StatusNoContent), base: never}},
		"the caller's failure for good": {
			{err: fmt.Errorf("wrapped: %w", backoff.Permanent(errNetwork)), base: never},
		},
		"an option that cannot work": {{err: fmt.Errorf("wrapped: %w", sse.ErrInvalidOption), base: never}},
	} {
		t.Run(name, func(t *testing.T) {
			follow(t, &reconnect.Policy{InitialDelay: second}, steps)
		})
	}
}

func TestStopOnRejectedKey(t *testing.T) {
	p := &reconnect.Policy{InitialDelay: time.Second, StopOnRejectedKey: true}
	follow(t, p, []step{
		{err: status(http.StatusUnauthorized), base: never}, {err: status(http.StatusForbidden), base: never},
		{err: status(http.StatusNotFound), base: time.Second},
	})
}

func TestRetryNoContent(t *testing.T) {
	p := &reconnect.Policy{InitialDelay: time.Second, RetryNoContent: true}
	follow(t, p, []step{
		{err: status(http.StatusNoContent), base: time.Second}, {err: status(http.StatusNoContent), base: 2 * time.Second},
		{err: sse.ErrInvalidOption, base: never},
	})
}

// TestReconnectRequestOnTheNormalSchedule checks that a request to reconnect is nothing special on a connection
// that has not delivered a put. The base is so long that the schedules cannot be confused.
func TestReconnectRequestOnTheNormalSchedule(t *testing.T) {
	const base, minute = 20 * time.Second, time.Minute
	for name, steps := range map[string][]step{
		"without a put": {{open: true, err: decode.ErrReconnect, base: base}},
		"the put came on another connection": {
			{open: true, synced: true, err: errNetwork, base: base}, {open: true, lasts: minute, err: decode.ErrReconnect, base: base},
		},
		"the connection of the put has ended": {
			{open: true, synced: true, err: errNetwork, base: base}, {lasts: minute, err: decode.ErrReconnect, base: 30 * time.Second},
		},
		"another reason after a put": {{open: true, synced: true, err: sse.ErrEndOfStream, base: base}},
	} {
		t.Run(name, func(t *testing.T) { follow(t, &reconnect.Policy{InitialDelay: base}, steps) })
	}
}

// TestReconnectAtOnce checks that a request to reconnect is followed within a second, at random, but not
// twice within a minute.
func TestReconnectAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &reconnect.Policy{InitialDelay: 20 * time.Second}
		request := func() time.Duration {
			p.Opened()
			p.Synced()
			return p.Next(fmt.Errorf("wrapped: %w", decode.ErrReconnect))
		}
		shortest, longest := time.Hour, time.Duration(0)
		for range 200 {
			delay := request()
			shortest, longest = min(shortest, delay), max(longest, delay)
			time.Sleep(time.Minute - time.Millisecond)
			if delay := request(); delay < 10*time.Second {
				t.Fatalf("the second request within a minute is followed after %v", delay)
			}
			time.Sleep(time.Millisecond)
		}
		if shortest < 0 || shortest > 200*time.Millisecond || longest < 800*time.Millisecond || longest >= time.Second { // by chance once in 10¹⁹ runs
			t.Errorf("the delays lie between %v and %v, want 0 to 1s", shortest, longest)
		}
	})
}

// TestRequestEndsAConnection checks that a minute of connection before a request to reconnect ends the growth of
// the normal delay, and that the time after the request does not count.
func TestRequestEndsAConnection(t *testing.T) {
	for _, test := range []struct{ open, after, least, most time.Duration }{
		{open: time.Minute, after: 0, least: 0, most: time.Second},
		{open: time.Second, after: time.Minute, least: 15 * time.Second, most: 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &reconnect.Policy{InitialDelay: time.Second}
			for range 5 {
				p.Next(errNetwork)
			}
			p.Opened()
			p.Synced()
			time.Sleep(test.open)
			p.Next(decode.ErrReconnect)
			time.Sleep(test.after)
			if delay := p.Next(errNetwork); delay < test.least || delay > test.most {
				t.Errorf("open for %v, and %v later, the delay is %v, want %v to %v", test.open, test.after, delay, test.least, test.most)
			}
		})
	}
}

// TestServersDelay checks that the retry field of the session is the base of the normal schedule, and of no
// other.
func TestServersDelay(t *testing.T) {
	var session sse.Session
	for _, err := range sse.Scan(strings.NewReader("retry: 7000\n\n"), &sse.ScanOptions{Session: &session}) {
		t.Fatal(err)
	}
	follow(t, &reconnect.Policy{InitialDelay: time.Second, Session: &session}, []step{
		{err: errNetwork, base: 7 * time.Second}, {err: status(http.StatusUnauthorized), base: 5 * time.Minute}, {err: errNetwork, base: 14 * time.Second},
	})
}

// TestRetryAfter checks that Retry-After is the least delay of any refusal, a rejected key included.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for code, seconds := range map[int]int{http.StatusServiceUnavailable: 60, http.StatusUnauthorized: 1200} {
			p := &reconnect.Policy{InitialDelay: time.Second}
			delay := p.Next(&sse.StatusError{Code: code, Header: http.Header{"Retry-After": {strconv.Itoa(seconds)}}})
			if least := time.Duration(seconds) * time.Second; delay < least || delay > least+least/2 {
				t.Errorf("after %d the delay is %v, want %v or up to a half more", code, delay, least)
			}
		}
	})
}
