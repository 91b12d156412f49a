package stream

import "context"

// TakeLast yields the last n values of o when it has completed. If o fails it yields nothing. With n
// less than 1 it yields nothing either way, and ends as o does.
//
//	o  ──1──2──3──4──|
//	2  ──────────────34|
func TakeLast[T any](o Observable[T], n int) Observable[T] {
	need(o != nil, "TakeLast")
	return func(ctx context.Context, yield func(T) bool) error {
		last := ring[T]{room: n}
		err := o(ctx, func(v T) bool {
			last.add(v)
			return true
		})
		if err != nil {
			return err
		}
		for i := range last.len {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(last.at(i)) {
				return nil
			}
		}
		return context.Cause(ctx)
	}
}

// Pairwise yields every value but the first together with the one before it, as [before, value].
//
//	o  ──1──2──3──|
//	   ─────12─23─|
func Pairwise[T any](o Observable[T]) Observable[[2]T] {
	need(o != nil, "Pairwise")
	return func(ctx context.Context, yield func([2]T) bool) error {
		var before T
		started := false
		return o(ctx, func(v T) bool {
			pair := [2]T{before, v}
			before = v
			if !started {
				started = true
				return true
			}
			return yield(pair)
		})
	}
}
