package stream

import "context"

// Map yields f of every value.
//
//	o       ──1──2──3──|
//	x → 2x  ──2──4──6──|
func Map[T, U any](o Observable[T], f func(T) U) Observable[U] {
	need(o != nil && f != nil, "Map")
	return func(ctx context.Context, yield func(U) bool) error {
		return o(ctx, func(v T) bool { return yield(f(v)) })
	}
}

// MapErr is Map for a function that can fail. Its first error stops o and ends the sequence.
//
//	o     ──1──2──x──3──|
//	Atoi  ──1──2──✗
func MapErr[T, U any](o Observable[T], f func(T) (U, error)) Observable[U] {
	need(o != nil && f != nil, "MapErr")
	return func(ctx context.Context, yield func(U) bool) error {
		var failed error
		err := o(ctx, func(v T) bool {
			u, err := f(v)
			if err != nil {
				failed = err
				return false
			}
			return yield(u)
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

// Tap calls f with every value before it is passed on: for a log, a metric, a test.
func Tap[T any](o Observable[T], f func(T)) Observable[T] {
	need(o != nil && f != nil, "Tap")
	return func(ctx context.Context, yield func(T) bool) error {
		return o(ctx, func(v T) bool {
			f(v)
			return yield(v)
		})
	}
}

// Scan keeps a state, which starts as seed, and yields it after every value. It does not yield
// the seed. All subscriptions start from the same seed: one that f modifies in place (a map, a
// pointer) must be made for each, inside Defer.
//
//	o       ──1──2──3──|
//	0, +    ──1──3──6──|
func Scan[T, S any](o Observable[T], seed S, f func(S, T) S) Observable[S] {
	need(o != nil && f != nil, "Scan")
	return func(ctx context.Context, yield func(S) bool) error {
		state := seed
		return o(ctx, func(v T) bool {
			state = f(state, v)
			return yield(state)
		})
	}
}

// Reduce yields the last state of the same Scan, or seed if there was no value, when o has
// completed. If o fails it yields nothing.
//
//	o       ──1──2──3──|
//	0, +    ───────────6|
func Reduce[T, S any](o Observable[T], seed S, f func(S, T) S) Observable[S] {
	need(o != nil && f != nil, "Reduce")
	return func(ctx context.Context, yield func(S) bool) error {
		state := seed
		err := o(ctx, func(v T) bool {
			state = f(state, v)
			return true
		})
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		yield(state)
		return nil
	}
}

// BatchCount gathers values into slices of n, which belong to the receiver. The last may be shorter:
// what has been gathered is yielded when o completes; an error drops it. (OnErrorResume with Empty, in
// front of BatchCount, makes a completion of the error.) BatchCount panics if n is less than 1.
//
//	o  ──1──2──3──4──5──|
//	2  ─────[1 2]─[3 4]─[5]|
func BatchCount[T any](o Observable[T], n int) Observable[[]T] {
	need(o != nil, "BatchCount")
	atLeastOne(n, "BatchCount")
	return func(ctx context.Context, yield func([]T) bool) error {
		var batch []T
		size := min(n, prefetch) // until there have been as many
		stopped := false
		err := o(ctx, func(v T) bool {
			if batch == nil {
				batch = make([]T, 0, size)
			}
			if batch = append(batch, v); len(batch) < n {
				return true
			}
			full := batch
			batch, size = nil, n
			stopped = !yield(full)
			return !stopped
		})
		if len(batch) > 0 && err == nil && ctx.Err() == nil {
			yield(batch)
		}
		return unless(stopped, err)
	}
}
