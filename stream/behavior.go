package stream

import (
	"context"
	"fmt"
)

// A Behavior is a value that changes and can be observed: a subscriber gets the present value at once,
// and then each later one. Its methods may be called concurrently; what Subject says of subscribers
// and of waiting for them holds here, too. The zero Behavior has the zero T as its value.
type Behavior[T any] struct {
	subject Subject[T]
	current T // guarded by subject
}

// NewBehavior returns a behavior whose present value is initial.
func NewBehavior[T any](initial T) *Behavior[T] {
	return &Behavior[T]{current: initial}
}

// Get returns the present value.
func (b *Behavior[T]) Get() (v T) {
	b.subject.View(func() { v = b.current })
	return v
}

// Set replaces the present value. It returns what Subject.Publish does.
func (b *Behavior[T]) Set(ctx context.Context, v T) error {
	return b.Update(ctx, func(T) T { return v })
}

// Update replaces the present value by what f makes of it, and no other change comes between. It
// waits and returns as Subject.Update does, and f has to obey the same rules.
func (b *Behavior[T]) Update(ctx context.Context, f func(T) T) error {
	need(f != nil, "Behavior.Update")
	return b.subject.Update(ctx, func(emit func(T)) {
		b.current = f(b.current)
		emit(b.current)
	})
}

// Observe returns the observable of the value: the present one and every later one, as far as the
// policy lets them through. With DropOldest[T](1), a slow subscriber may miss some values, but never
// the latest.
//
//	set       1──2──3──4──|
//	observed     (2─3──4──|   subscribed after 2
func (b *Behavior[T]) Observe(p Policy[T]) Observable[T] {
	return b.subject.Observe(p, func() []T { return []T{b.current} })
}

// Close ends every subscription as Subject.Close does. The present value stays: it is what later
// subscribers get, before they end in the same way.
func (b *Behavior[T]) Close(err error) { b.subject.Close(err) }

// Subscribers describes the current subscribers, as Subject.Subscribers does.
func (b *Behavior[T]) Subscribers() []SubscriptionStats { return b.subject.Subscribers() }

// Totals adds up all subscribers, as Subject.Totals does.
func (b *Behavior[T]) Totals() SubscriptionStats { return b.subject.Totals() }

// Format implements fmt.Formatter for every verb, as Subject's does.
func (b *Behavior[T]) Format(f fmt.State, _ rune) { b.subject.format(f, "Behavior") }
