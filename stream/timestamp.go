package stream

import (
	"context"
	"time"
)

// A TimestampValue is a value and the time at which it came.
type TimestampValue[T any] struct {
	Value     T
	Timestamp time.Time
}

// Timestamp yields every value with the time at which it came.
//
//	o  ──a─────b───|
//	   ──a@2───b@8─|
func Timestamp[T any](o Observable[T]) Observable[TimestampValue[T]] {
	need(o != nil, "Timestamp")
	return Map(o, func(v T) TimestampValue[T] { return TimestampValue[T]{v, time.Now()} })
}

// An IntervalValue is a value and the time since the one before it.
type IntervalValue[T any] struct {
	Value    T
	Interval time.Duration
}

// TimeInterval yields every value with the time since the value before it, or since the subscription
// for the first. The time during which the subscriber is busy counts.
//
//	o  ──a────b─c──|
//	   ──a2───b5c2─|
func TimeInterval[T any](o Observable[T]) Observable[IntervalValue[T]] {
	need(o != nil, "TimeInterval")
	return func(ctx context.Context, yield func(IntervalValue[T]) bool) error {
		before := time.Now()
		return o(ctx, func(v T) bool {
			now := time.Now()
			interval := now.Sub(before)
			before = now
			return yield(IntervalValue[T]{v, interval})
		})
	}
}
