package stream

import "context"

// DefaultIfEmpty yields v if o completes without a value.
//
//	o  ────────|
//	v  ────────v|
func DefaultIfEmpty[T any](o Observable[T], v T) Observable[T] {
	need(o != nil, "DefaultIfEmpty")
	return ifEmpty(o, Just(v))
}

// ThrowIfEmpty fails with err if o completes without a value. It panics if err is nil.
//
//	o    ────────|
//	err  ────────✗
func ThrowIfEmpty[T any](o Observable[T], err error) Observable[T] {
	need(o != nil, "ThrowIfEmpty")
	if err == nil {
		panic("stream: ThrowIfEmpty with a nil error")
	}
	return ifEmpty(o, Fail[T](err))
}

// ifEmpty continues with next if o completes without a value.
func ifEmpty[T any](o, next Observable[T]) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		empty, stopped := true, false
		err := o(ctx, func(v T) bool {
			empty = false
			stopped = !yield(v)
			return !stopped
		})
		if empty && err == nil {
			return next(ctx, yield)
		}
		return unless(stopped, err)
	}
}
