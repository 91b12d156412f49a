package stream

import "context"

// Filter yields the values for which keep is true.
//
//	o     ──1──2──3──4──|
//	even  ─────2─────4──|
func Filter[T any](o Observable[T], keep func(T) bool) Observable[T] {
	need(o != nil && keep != nil, "Filter")
	return func(ctx context.Context, yield func(T) bool) error {
		return o(ctx, func(v T) bool { return !keep(v) || yield(v) })
	}
}

// Take yields the first n values and completes with the last of them, without waiting for
// another. With n less than 1 it does not subscribe to o at all.
//
//	o  ──1──2──3──4──|
//	2  ──1──2|
func Take[T any](o Observable[T], n int) Observable[T] {
	need(o != nil, "Take")
	if n < 1 {
		return Empty[T]()
	}
	return func(ctx context.Context, yield func(T) bool) error {
		left, stopped := n, false
		err := o(ctx, func(v T) bool {
			left--
			stopped = !yield(v) || left == 0
			return !stopped
		})
		return unless(stopped, err)
	}
}

// TakeWhile yields values as long as keep is true, and completes at the first for which it is
// not, which is not passed on.
//
//	o    ──1──2──3──1──|
//	< 3  ──1──2──|
func TakeWhile[T any](o Observable[T], keep func(T) bool) Observable[T] {
	need(o != nil && keep != nil, "TakeWhile")
	return func(ctx context.Context, yield func(T) bool) error {
		stopped := false
		err := o(ctx, func(v T) bool {
			stopped = !keep(v) || !yield(v)
			return !stopped
		})
		return unless(stopped, err)
	}
}

// Skip yields what comes after the first n values.
//
//	o  ──1──2──3──4──|
//	2  ────────3──4──|
func Skip[T any](o Observable[T], n int) Observable[T] {
	need(o != nil, "Skip")
	return func(ctx context.Context, yield func(T) bool) error {
		left := n
		return o(ctx, func(v T) bool {
			if left > 0 {
				left--
				return true
			}
			return yield(v)
		})
	}
}

// SkipWhile drops values as long as drop is true, and yields the first for which it is not and
// all that follow.
//
//	o    ──1──2──3──1──|
//	< 3  ────────3──1──|
func SkipWhile[T any](o Observable[T], drop func(T) bool) Observable[T] {
	need(o != nil && drop != nil, "SkipWhile")
	return func(ctx context.Context, yield func(T) bool) error {
		skipping := true
		return o(ctx, func(v T) bool {
			skipping = skipping && drop(v)
			return skipping || yield(v)
		})
	}
}

// Distinct yields only the first value of each key. It remembers every key that it has seen for
// as long as the subscription lasts.
//
//	o     ──a1──b1──a2──b2──c1──|
//	name  ──a1──b1──────────c1──|
func Distinct[T any, K comparable](o Observable[T], key func(T) K) Observable[T] {
	need(o != nil && key != nil, "Distinct")
	return func(ctx context.Context, yield func(T) bool) error {
		seen := make(map[K]struct{})
		return o(ctx, func(v T) bool {
			k := key(v)
			if _, ok := seen[k]; ok {
				return true
			}
			seen[k] = struct{}{}
			return yield(v)
		})
	}
}

// DistinctUntilChanged yields only those values whose key differs from that of the value before.
//
//	o     ──a1──a2──b1──a3──a4──|
//	name  ──a1──────b1──a3──────|
func DistinctUntilChanged[T any, K comparable](o Observable[T], key func(T) K) Observable[T] {
	need(o != nil && key != nil, "DistinctUntilChanged")
	return func(ctx context.Context, yield func(T) bool) error {
		var last K
		started := false
		return o(ctx, func(v T) bool {
			k := key(v)
			if started && k == last {
				return true
			}
			last, started = k, true
			return yield(v)
		})
	}
}
