package stream

import (
	"context"
	"fmt"
	"time"
)

// A ReplaySubject is a Subject with a memory: a subscriber first gets the last values that were
// published, and then each later one. Its methods may be called concurrently; what Subject says of
// subscribers and of waiting for them holds here, too. The zero ReplaySubject remembers nothing, like
// a Subject.
type ReplaySubject[T any] struct {
	subject Subject[T]
	history history[T] // guarded by subject
}

// NewReplaySubject returns a subject that remembers the last n values, each until it is maxAge old; a
// maxAge of 0 is no limit. It panics if n is less than 1 or maxAge is negative. It takes memory only
// for values that were published, so n can be math.MaxInt to let maxAge alone be the limit. Values
// that are too old are forgotten at the next publication or subscription.
func NewReplaySubject[T any](n int, maxAge time.Duration) *ReplaySubject[T] {
	atLeastOne(n, "NewReplaySubject")
	notNegative(maxAge, "NewReplaySubject")
	return &ReplaySubject[T]{history: newHistory[T](n, maxAge)}
}

// Publish passes values to all current subscribers and remembers them for later ones. It waits and
// returns as Subject.Publish does.
func (r *ReplaySubject[T]) Publish(ctx context.Context, values ...T) error {
	return r.subject.Update(ctx, func(emit func(T)) {
		for _, v := range values {
			r.history.add(v)
			emit(v)
		}
	})
}

// Observe returns the observable of the remembered values and every later one, as far as the policy
// lets the later ones through.
//
//	published  1──2──3──4──|
//	2               (23─4──|   subscribed after 3
func (r *ReplaySubject[T]) Observe(p Policy[T]) Observable[T] {
	return r.subject.Observe(p, r.history.recent)
}

// Close ends every subscription as Subject.Close does. The memory stays: it is what later subscribers
// get, before they end in the same way.
func (r *ReplaySubject[T]) Close(err error) { r.subject.Close(err) }

// Subscribers describes the current subscribers as Subject.Subscribers does.
func (r *ReplaySubject[T]) Subscribers() []SubscriptionStats { return r.subject.Subscribers() }

// Totals adds up the statistics of all subscribers as Subject.Totals does.
func (r *ReplaySubject[T]) Totals() SubscriptionStats { return r.subject.Totals() }

// Format implements fmt.Formatter for every verb, as Subject's does.
func (r *ReplaySubject[T]) Format(f fmt.State, _ rune) { r.subject.format(f, "ReplaySubject") }
