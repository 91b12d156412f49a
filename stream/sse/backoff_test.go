package sse

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// expectDelays checks the delays after failures against a schedule without jitter.
func expectDelays(t *testing.T, b *Backoff, schedule ...time.Duration) {
	t.Helper()
	for i, want := range schedule {
		if d := b.Next(io.EOF); d < want/2 || d > want {
			t.Errorf("delay %d is %v, want %v to %v", i, d, want/2, want)
		}
	}
}

const second, ms = time.Second, time.Millisecond

func sessionWithRetry(d time.Duration) *Session {
	s := new(Session)
	s.setRetry(d)
	return s
}

func TestBackoffGrows(t *testing.T) {
	for name, test := range map[string]struct {
		b        Backoff
		schedule []time.Duration
	}{
		"defaults":                 {Backoff{}, []time.Duration{DefaultInitialDelay, 2 * second, 4 * second, 8 * second, 16 * second, DefaultMaxDelay, DefaultMaxDelay}},
		"Initial":                  {Backoff{Initial: 10 * second}, []time.Duration{10 * second, 20 * second, 30 * second, 30 * second}},
		"Max":                      {Backoff{Max: 3 * second}, []time.Duration{second, 2 * second, 3 * second, 3 * second}},
		"a base above Max":         {Backoff{Initial: time.Hour}, []time.Duration{time.Hour, time.Hour}},
		"no delay":                 {Backoff{Initial: -1}, []time.Duration{0, ms, 2 * ms, 4 * ms}},
		"retry":                    {Backoff{Session: sessionWithRetry(5 * second)}, []time.Duration{5 * second, 10 * second}},
		"retry of 0":               {Backoff{Session: sessionWithRetry(0)}, []time.Duration{0, ms, 2 * ms}},
		"session without retry":    {Backoff{Initial: 2 * second, Session: new(Session)}, []time.Duration{2 * second}},
		"no overflow at the limit": {Backoff{Max: 1<<63 - 1, Initial: 1 << 62}, []time.Duration{1 << 62, 1<<63 - 1, 1<<63 - 1}},
	} {
		t.Run(name, func(t *testing.T) { expectDelays(t, &test.b, test.schedule...) })
	}
}

// A server that changes its retry field changes the base, and not how far the delay has grown.
func TestBackoffGrowsOverChangesOfTheBase(t *testing.T) {
	s := new(Session)
	b := &Backoff{Session: s}
	s.setRetry(second)
	expectDelays(t, b, second, 2*second)
	s.setRetry(2 * second)
	expectDelays(t, b, 8*second)
}

func TestBackoffReturnsToItsBase(t *testing.T) {
	for name, test := range map[string]struct {
		open, closed time.Duration // how long the connection was open, and then not
		want         time.Duration
	}{
		"open for a minute":         {time.Minute, 0, second},
		"open for less":             {time.Minute - 1, 0, 4 * second},
		"open for less, then ended": {time.Minute - 1, time.Minute, 4 * second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(Backoff)
				expectDelays(t, b, second, 2*second)
				b.Opened()
				time.Sleep(test.open)
				if test.closed > 0 {
					b.Ended()
					time.Sleep(test.closed)
				}
				expectDelays(t, b, test.want)
			})
		})
	}
}

// An attempt that fails later does not profit from a connection before it.
func TestBackoffDoesNotCountTheTimeAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(Backoff)
		b.Opened()
		expectDelays(t, b, second)
		time.Sleep(time.Hour)
		expectDelays(t, b, 2*second)
	})
}

func TestBackoffGivesUp(t *testing.T) {
	status := func(code int) error { return fmt.Errorf("wrapped: %w", &StatusError{Code: code}) }
	for _, test := range []struct {
		err  error
		want bool
	}{
		{status(204), true}, {status(400), true}, {status(401), true}, {status(404), true}, {status(499), true},
		{status(101), false}, {status(302), false}, {status(408), false}, {status(425), false}, {status(429), false},
		{status(500), false}, {status(503), false}, {status(599), false},
		{fmt.Errorf("wrapped: %w", backoff.Permanent(io.EOF)), true}, {fmt.Errorf("wrapped: %w", ErrInvalidOption), true},
		{io.EOF, false}, {ErrEndOfStream, false}, {ErrIdle, false}, {&ContentTypeError{}, false}, {ErrEventTooLarge, false},
	} {
		if gaveUp := new(Backoff).Next(test.err) < 0; gaveUp != test.want {
			t.Errorf("gave up after %v: %t", test.err, gaveUp)
		}
	}
	mine := &Backoff{Permanent: func(err error) bool { return err == io.EOF }}
	if mine.Next(io.EOF) >= 0 || mine.Next(status(204)) < 0 {
		t.Error("the policy's own Permanent was not asked")
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for name, test := range map[string]struct {
			value, date string
			want        time.Duration
		}{
			"seconds":                      {"120", "", 2 * time.Minute},
			"more than an hour":            {"3601", "", time.Hour},
			"more than a number can be":    {strings.Repeat("9", 30), "", time.Hour},
			"less than a number can be":    {"-" + strings.Repeat("9", 30), "", 0},
			"negative":                     {"-5", "", 0},
			"date":                         {at(90 * second), "", 90 * second},
			"date that is past":            {at(-90 * second), "", 0},
			"date that is far off":         {at(48 * time.Hour), "", time.Hour},
			"server's clock is ahead":      {at(time.Hour + 90*second), at(time.Hour), 90 * second},
			"server's clock is behind":     {at(90*second - time.Hour), at(-time.Hour), 90 * second},
			"server's clock is malformed":  {at(90 * second), "noon", 90 * second},
			"malformed":                    {"soon", "", 0},
			"none":                         {"", "", 0},
			"fraction, which HTTP has not": {"1.5", "", 0},
		} {
			header := http.Header{"Retry-After": {test.value}, "Date": {test.date}}
			err := fmt.Errorf("wrapped: %w", &StatusError{Code: 503, Header: header})
			delays := make(map[time.Duration]bool)
			for range 100 {
				d := (&Backoff{Initial: -1}).Next(err)
				delays[d] = true
				if d < test.want || d > test.want*3/2 {
					t.Errorf("%s: %v, want %v to half as much again", name, d, test.want)
				}
			}
			if test.want > 0 && len(delays) < 90 {
				t.Errorf("%s: 100 clients come back at %d different times", name, len(delays))
			}
		}
		if d := new(Backoff).Next(&StatusError{Code: 503, Header: http.Header{"Retry-After": {"0"}}}); d < DefaultInitialDelay/2 {
			t.Errorf("Retry-After shortened the delay to %v", d)
		}
	})
}

func TestBackoffSpreads(t *testing.T) {
	delays := make(map[time.Duration]bool)
	for range 100 {
		delays[new(Backoff).Next(errors.New("down"))] = true
	}
	if len(delays) < 90 {
		t.Errorf("100 clients come back at %d different times", len(delays))
	}
}
