package stream

import (
	"context"
	"errors"
	"iter"
)

// An Observable is a cold sequence of values: calling it subscribes. It passes every value to
// yield, in order, and returns nil when the sequence has completed or yield asked to stop, else
// the error that ended it. The package comment states the contract that every Observable keeps.
type Observable[T any] func(ctx context.Context, yield func(T) bool) error

// ErrEmpty is what First and Last return for a sequence that completed without a value.
var ErrEmpty = errors.New("stream: the sequence has no value")

// ForEach subscribes and calls f for every value, on the caller's goroutine. It returns when the
// sequence has ended: nil after completion, else the error that ended it. An error of f stops the
// sequence and is returned as it is.
func (o Observable[T]) ForEach(ctx context.Context, f func(T) error) error {
	need(o != nil && f != nil, "ForEach")
	var failed error
	err := o(ctx, func(v T) bool {
		failed = f(v)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// All subscribes and gives the values to a range-over-func loop, without a goroutine:
//
//	for v, err := range o.All(ctx) {
//		if err != nil {
//			return err
//		}
//		use(v)
//	}
//
// Each value comes with a nil error. If the sequence failed, its error comes last, once, with the
// zero value. Breaking out of the loop stops the sequence and waits for it.
func (o Observable[T]) All(ctx context.Context) iter.Seq2[T, error] {
	need(o != nil, "All")
	return func(yield func(T, error) bool) {
		stopped := false
		err := o(ctx, func(v T) bool {
			stopped = !yield(v, nil)
			return !stopped
		})
		if err != nil && !stopped {
			var zero T
			yield(zero, err)
		}
	}
}

// Collect returns all values, once the sequence has ended. With an error it returns the values
// that came before it, too. A sequence without an end is collected until ctx is cancelled or
// memory runs out.
func (o Observable[T]) Collect(ctx context.Context) ([]T, error) {
	need(o != nil, "Collect")
	var values []T
	err := o(ctx, func(v T) bool {
		values = append(values, v)
		return true
	})
	return values, err
}

// First returns the first value and stops the sequence. A sequence that completed without one
// gives ErrEmpty, one that failed without one its error.
func (o Observable[T]) First(ctx context.Context) (T, error) {
	need(o != nil, "First")
	var first T
	found := false
	err := o(ctx, func(v T) bool {
		first, found = v, true
		return false
	})
	switch {
	case found:
		return first, nil
	case err != nil:
		return first, err
	default:
		return first, ErrEmpty
	}
}

// Last returns the last value, once the sequence has completed. A sequence that completed without one
// gives ErrEmpty; one that failed gives its error, and what came before it is lost.
func (o Observable[T]) Last(ctx context.Context) (T, error) {
	need(o != nil, "Last")
	var last, zero T
	found := false
	err := o(ctx, func(v T) bool {
		last, found = v, true
		return true
	})
	switch {
	case err != nil:
		return zero, err
	case !found:
		return zero, ErrEmpty
	default:
		return last, nil
	}
}

// Count returns how many values there were, once the sequence has ended, and the error that ended
// it, if any.
func (o Observable[T]) Count(ctx context.Context) (int, error) {
	need(o != nil, "Count")
	n := 0
	err := o(ctx, func(T) bool {
		n++
		return true
	})
	return n, err
}

// unless is the end of an operator that can stop its source by itself: whatever that returned then,
// the answer to one's own subscriber is nil. Operators that only pass on what their subscriber says,
// such as Map, leave the answer to their source, and so spend nothing on it for each value. (The
// others keep stopped up to date in line and not through a helper, which would cost a second call.)
func unless(stopped bool, err error) error {
	if stopped {
		return nil
	}
	return err
}
