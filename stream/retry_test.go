package stream_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// An attempt is one subscription to a source that is not dependable.
type attempt struct {
	lasts  time.Duration // until its value and its end
	fails  bool
	policy time.Duration // what the policy then says
}

// A protocol of what happened, with the times since the subscription.
type protocol struct {
	subscribed []time.Duration
	asked      []error
	yielded    []int
	err        error
	ended      time.Duration
}

type attemptError int

func (e attemptError) Error() string { return fmt.Sprintf("attempt %d", int(e)) }

// expected is the protocol that the attempts should give when the context is cancelled at the
// given time, at which nothing else happens.
func expected(attempts []attempt, cancelled time.Duration) (p protocol) {
	now := time.Duration(0)
	interrupted := func(until time.Duration) bool {
		if until > cancelled {
			p.err, p.ended = errCause, cancelled
			return true
		}
		now = until
		return false
	}
	for i, a := range attempts {
		p.subscribed = append(p.subscribed, now)
		if interrupted(now + a.lasts) {
			return p
		}
		p.yielded = append(p.yielded, i)
		if !a.fails {
			break
		}
		p.asked = append(p.asked, attemptError(i))
		if a.policy < 0 {
			p.err = attemptError(i)
			break
		}
		if interrupted(now + a.policy) {
			return p
		}
	}
	p.ended = now
	return p
}

// observed is the protocol that Retry really gives. It needs virtual time.
func observed(attempts []attempt, cancelled time.Duration) (p protocol) {
	start := time.Now()
	ctx, cancel := context.WithCancelCause(context.Background())
	timer := time.AfterFunc(cancelled, func() { cancel(errCause) })
	defer timer.Stop()
	next := 0
	unstable := stream.Defer(func() ints {
		i := next
		next++
		p.subscribed = append(p.subscribed, time.Since(start))
		end := stream.Empty[int]()
		if attempts[i].fails {
			end = stream.Fail[int](attemptError(i))
		}
		value := stream.Map(stream.Timer(attempts[i].lasts), func(time.Time) int { return i })
		return stream.Concat(value, end)
	})
	policy := func(err error) time.Duration {
		p.asked = append(p.asked, err)
		return attempts[len(p.asked)-1].policy
	}
	p.err = stream.Retry(unstable, func() stream.RetryPolicy { return policy })(ctx, func(v int) bool {
		p.yielded = append(p.yielded, v)
		return true
	})
	p.ended = time.Since(start)
	return p
}

// TestRetryFollowsThePolicy: to the nanosecond, and cancellation is effective at once in every
// phase.
func TestRetryFollowsThePolicy(t *testing.T) {
	duration := rapid.Custom(func(t *rapid.T) time.Duration {
		return 2 * time.Duration(rapid.IntRange(0, 5).Draw(t, "half"))
	})
	drawnAttempt := rapid.Custom(func(t *rapid.T) attempt {
		a := attempt{lasts: duration.Draw(t, "lasts"), fails: true, policy: duration.Draw(t, "policy")}
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			a.fails = false
		case 1:
			a.policy = backoff.Stop
		}
		return a
	})
	rapid.Check(t, func(rt *rapid.T) {
		attempts := rapid.SliceOfN(drawnAttempt, 0, 8).Draw(rt, "attempts")
		attempts = append(attempts, attempt{lasts: 1000}) // completes at last
		cancelled := 2*time.Duration(rapid.IntRange(0, 60).Draw(rt, "cancelled")) + 1
		want := expected(attempts, cancelled)
		var got protocol
		synctest.Test(t, func(*testing.T) { got = observed(attempts, cancelled) })
		if !reflect.DeepEqual(got, want) {
			rt.Fatalf("\ngot  %+v\nwant %+v", got, want)
		}
	})
}

// TestRetryCancelledByItsPolicy: an immediate retry does not begin under a cancelled context.
func TestRetryCancelledByItsPolicy(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	subscribed := 0
	failing := func(context.Context, func(int) bool) error { // heeds no context
		subscribed++
		return errEnd
	}
	err := stream.Retry(failing, func() stream.RetryPolicy {
		return func(error) time.Duration {
			cancel(errCause)
			return 0
		}
	})(ctx, func(int) bool { return true })
	if err != errCause || subscribed != 1 {
		t.Errorf("%d subscriptions, then %v", subscribed, err)
	}
}

// steps is a BackOff that counts up in seconds.
type steps struct{ next time.Duration }

func (s *steps) Reset() { s.next = 0 }

func (s *steps) NextBackOff() time.Duration {
	s.next += time.Second
	return s.next
}

// delaysOf returns the waits between the subscriptions of a Retry to a source that fails after the
// given times, and the error that ends it.
func delaysOf(policy func() stream.RetryPolicy, lasts ...time.Duration) (delays []time.Duration, err error) {
	var failedAt time.Time
	attempts := 0
	source := func(ctx context.Context, yield func(int) bool) error {
		if attempts++; attempts > 1 {
			delays = append(delays, time.Since(failedAt))
		}
		if attempts > len(lasts) {
			return nil
		}
		time.Sleep(lasts[attempts-1])
		failedAt = time.Now()
		return errEnd
	}
	err = stream.Retry(source, policy)(context.Background(), func(int) bool { return true })
	return delays, err
}

// TestBackoffStartsAfresh: after a subscription of a minute, and not before.
func TestBackoffStartsAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := stream.Backoff(func() backoff.BackOff { return &steps{next: time.Hour} })
		for range 2 { // A second subscription has a BackOff of its own.
			got, err := delaysOf(policy, 0, 0, time.Minute-1, 0, time.Minute, 0)
			want := []time.Duration{1, 2, 3, 4, 1, 2}
			for i := range want {
				want[i] *= time.Second
			}
			if !reflect.DeepEqual(got, want) || err != nil {
				t.Errorf("waited %v, want %v; ended with %v", got, want, err)
			}
		}
	})
}

// TestBackoffGivesUp: after 15 minutes unless told otherwise, with the last error.
func TestBackoffGivesUp(t *testing.T) {
	attempts := make([]time.Duration, 10_000)
	elapsed := func(opts ...backoff.ExponentialBackOffOpts) (total time.Duration, err error) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err = delaysOf(stream.Backoff(func() backoff.BackOff { return backoff.NewExponentialBackOff(opts...) }), attempts...)
			total = time.Since(start)
		})
		return total, err
	}
	if total, err := elapsed(); total > 15*time.Minute || total < 13*time.Minute || err != errEnd {
		t.Errorf("by default it ended after %v with %v", total, err)
	}
	if total, err := elapsed(backoff.WithMaxElapsedTime(0)); total < 48*time.Hour || err != nil {
		t.Errorf("for ever lasted %v and ended with %v", total, err)
	}
}

// TestBackoffPermanent: no retry, and the mark is taken off unless something is around it.
func TestBackoffPermanent(t *testing.T) {
	wrapped := fmt.Errorf("connecting: %w", backoff.Permanent(errEnd))
	for _, test := range []struct{ failure, want error }{
		{backoff.Permanent(errEnd), errEnd},
		{wrapped, wrapped},
	} {
		attempts := 0
		failing := func(context.Context, func(int) bool) error {
			attempts++
			return test.failure
		}
		policy := stream.Backoff(func() backoff.BackOff { return &backoff.ZeroBackOff{} })
		err := stream.Retry(failing, policy)(t.Context(), func(int) bool { return true })
		if err != test.want || !errors.Is(err, errEnd) || attempts != 1 {
			t.Errorf("%d attempts, then %v, want %v", attempts, err, test.want)
		}
	}
}
