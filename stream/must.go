package stream

import "time"

// need panics unless ok: every operator checks at its call that no observable and no function is nil,
// since a subscription would find it out too late, and on a goroutine of its own.
func need(ok bool, operator string) {
	if !ok {
		panic("stream: " + operator + " with a nil observable or function")
	}
}

// atLeastOne panics unless n is.
func atLeastOne(n int, operator string) {
	if n < 1 {
		panic("stream: " + operator + " with a number that is less than 1")
	}
}

// positive panics unless d is.
func positive(d time.Duration, operator string) {
	if d <= 0 {
		panic("stream: " + operator + " with a duration that is not positive")
	}
}

// notNegative panics if n is negative.
func notNegative[N int | time.Duration](n N, operator string) {
	if n < 0 {
		panic("stream: " + operator + " with a number or a duration that is negative")
	}
}

// made returns o, which a callback of the operator has returned.
func made[T any](o Observable[T], operator string) Observable[T] {
	if o == nil {
		panic("stream: a function given to " + operator + " returned a nil observable")
	}
	return o
}

// allThere reports whether none of os is nil.
func allThere[T any](os []Observable[T]) bool {
	for _, o := range os {
		if o == nil {
			return false
		}
	}
	return true
}
