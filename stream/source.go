package stream

import (
	"context"
	"iter"
)

// Just is the sequence of the given values.
func Just[T any](values ...T) Observable[T] { return FromSlice(values) }

// FromSlice is the sequence of the values of a slice, which it does not copy.
func FromSlice[T any](values []T) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		if len(values) == 0 {
			return context.Cause(ctx)
		}
		watched := cancellable(ctx)
		for _, v := range values {
			if watched && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
}

// Empty completes without a value.
func Empty[T any]() Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error { return context.Cause(ctx) }
}

// Never has no value and no end but the cancellation of its context.
func Never[T any]() Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

// Fail ends with err, without a value. It completes if err is nil.
func Fail[T any](err error) Observable[T] {
	return func(ctx context.Context, _ func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
}

// FromSeq is the sequence of an iterator. Each subscription ranges over it again; whether that gives
// the same values depends on the iterator. A cancellation is noticed between two values: an iterator
// that blocks is not interrupted.
func FromSeq[T any](seq iter.Seq[T]) Observable[T] {
	need(seq != nil, "FromSeq")
	return func(ctx context.Context, yield func(T) bool) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !cancellable(ctx): // nothing to look after between two values
			seq(yield)
			return nil
		}
		for v := range seq {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
}

// FromSeq2 is FromSeq for an iterator that can fail, such as a parser: the first error that is
// not nil ends the sequence, and the value beside it is not passed on.
func FromSeq2[T any](seq iter.Seq2[T, error]) Observable[T] {
	need(seq != nil, "FromSeq2")
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for v, err := range seq {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return err
			}
			if !yield(v) {
				return nil
			}
		}
		return nil
	}
}

// FromChan is the sequence of what is received from ch, until ch is closed. A channel is not cold:
// each value goes to one of the subscriptions to it, and is gone then. A nil channel is Never.
func FromChan[T any](ch <-chan T) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		for {
			// A select picks at random when both are ready, and cancellation must win.
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			v, ok, err := receive(ctx, ch)
			if err != nil || !ok || !yield(v) {
				return err
			}
		}
	}
}

// receive asks for ctx.Done only if it has to wait.
func receive[T any](ctx context.Context, ch <-chan T) (v T, ok bool, err error) {
	select {
	case v, ok = <-ch:
		return v, ok, nil
	default:
	}
	select {
	case v, ok = <-ch:
		return v, ok, nil
	case <-ctx.Done():
		return v, false, context.Cause(ctx)
	}
}

// FromFunc is the one value that f returns, or its error. Each subscription calls f, which should
// return when its context is cancelled.
func FromFunc[T any](f func(ctx context.Context) (T, error)) Observable[T] {
	need(f != nil, "FromFunc")
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v, err := f(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		yield(v)
		return nil
	}
}

// Defer calls f for each subscription, which goes to the observable that f returns. It gives every
// subscription state of its own.
func Defer[T any](f func() Observable[T]) Observable[T] {
	need(f != nil, "Defer")
	return func(ctx context.Context, yield func(T) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return made(f(), "Defer")(ctx, yield)
	}
}
