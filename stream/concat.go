package stream

import "context"

// Concat yields all values of the first observable, then, when that has completed, those of the
// next, and so on. An error ends the whole.
//
//	a  ──1──2──|
//	b          ──3──4──|
//	   ──1──2────3──4──|
func Concat[T any](os ...Observable[T]) Observable[T] {
	need(allThere(os), "Concat")
	return ConcatMap(Just(os...), func(o Observable[T]) Observable[T] { return o })
}

// StartWith yields the given values before those of o.
//
//	o       ──3──4──|
//	1, 2  12──3──4──|
func StartWith[T any](o Observable[T], values ...T) Observable[T] {
	need(o != nil, "StartWith")
	return Concat(Just(values...), o)
}

// ConcatMap makes an observable of every value and yields their values, one observable after the
// other: o waits while one is running. An error, of o or of any of them, ends the whole.
//
//	o    ──1────────2──|
//	f    x → x──x──|
//	     ──1──1─────2──2──|
func ConcatMap[T, U any](o Observable[T], f func(T) Observable[U]) Observable[U] {
	need(o != nil && f != nil, "ConcatMap")
	return func(ctx context.Context, yield func(U) bool) error {
		stopped := false
		step := func(v U) bool {
			stopped = !yield(v)
			return !stopped
		}
		var failed error
		err := o(ctx, func(v T) bool {
			failed = made(f(v), "ConcatMap")(ctx, step)
			return failed == nil && !stopped
		})
		if failed != nil {
			err = failed
		}
		return unless(stopped, err)
	}
}
