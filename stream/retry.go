package stream

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// A RetryPolicy is called after each failure. It returns how long to wait before the next
// subscription; with a negative duration (backoff.Stop) Retry gives up and returns the error.
type RetryPolicy func(err error) time.Duration

// Retry subscribes to o, and again each time that o fails, after the time that the policy returns. It
// ends when o completes or the subscriber asks to stop. A cancellation ends it at once, also while it
// waits, and the policy is not called for it.
//
// newPolicy is called once per subscription, so that subscriptions share no state. Values pass
// through as they come: those that were delivered before a failure are not taken back.
//
//	o  ──1──2──✗   ──1──2──3──|
//	   ──1──2────────1──2──3──|
func Retry[T any](o Observable[T], newPolicy func() RetryPolicy) Observable[T] {
	need(o != nil && newPolicy != nil, "Retry")
	return func(ctx context.Context, yield func(T) bool) error {
		stopped := false
		step := func(v T) bool {
			stopped = !yield(v)
			return !stopped
		}
		policy := newPolicy()
		need(policy != nil, "Retry")
		for {
			err := o(ctx, step)
			switch {
			case stopped || err == nil:
				return nil
			case ctx.Err() != nil:
				return context.Cause(ctx)
			}
			delay := policy(err)
			if delay < 0 {
				return unwrapPermanent(err)
			}
			if err := sleep(ctx, delay); err != nil {
				return err
			}
		}
	}
}

// healthyAfter is how long a subscription must have lasted for Backoff to start afresh.
const healthyAfter = time.Minute

// Backoff makes policies from back-offs of github.com/cenkalti/backoff/v4. newBackOff is called,
// and the result is reset, once per subscription to Retry. The policy gives up when the back-off
// does, and at an error that is or wraps a *backoff.PermanentError; Retry then returns the error
// inside of it.
//
// A *backoff.ExponentialBackOff gives up 15 minutes after its last reset unless its MaxElapsedTime
// is 0: to retry for ever, make it with backoff.WithMaxElapsedTime(0).
//
// A subscription that lasted for a minute or longer before it failed counts as recovered: the
// back-off is reset. A single value would be too little to go by, since a source that fails right
// after its first value would then be tried for ever without growing delays. For another rule,
// keep the BackOff and call its Reset method, in a Tap in front of Retry for instance.
func Backoff(newBackOff func() backoff.BackOff) func() RetryPolicy {
	need(newBackOff != nil, "Backoff")
	return func() RetryPolicy {
		b := newBackOff()
		b.Reset()
		subscribed := time.Now()
		return func(err error) time.Duration {
			if permanent := (*backoff.PermanentError)(nil); errors.As(err, &permanent) {
				return backoff.Stop
			}
			if time.Since(subscribed) >= healthyAfter {
				b.Reset()
			}
			delay := b.NextBackOff()
			subscribed = time.Now().Add(delay)
			return delay
		}
	}
}

// unwrapPermanent removes the mark that backoff.Permanent has put around an error. A mark further
// inside stays, for the sake of what is around it.
func unwrapPermanent(err error) error {
	if permanent, ok := err.(*backoff.PermanentError); ok {
		return permanent.Err
	}
	return err
}
