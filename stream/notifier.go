package stream

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
)

// BatchWhen gathers the values of o into slices, which belong to the receiver. Each value of boundary
// ends a batch and so does the completion of o; a batch may be empty. The completion of boundary means
// nothing. An error of either ends it, without the unfinished batch. Both run on goroutines of their
// own, and up to 128 values are fetched ahead.
//
//	o         ──1──2──────3───|
//	boundary  ────────x─x─────
//	          ──────[1 2][]───[3]|
//
// Concurrency: both meet in one intake, which puts values and boundaries in one order.
func BatchWhen[T, B any](o Observable[T], boundary Observable[B]) Observable[[]T] {
	require(o != nil && boundary != nil, "BatchWhen of a nil observable")
	type event struct {
		value    T
		boundary bool
	}
	values := Map(o, func(v T) event { return event{value: v} })
	boundaries := Map(boundary, func(B) event { return event{boundary: true} })
	return func(ctx context.Context, yield func([]T) bool) error {
		in := newIntake(ctx, Block[event](prefetch))
		defer in.stop()
		in.startUntil(values, boundaries)
		var batch []T
		stopped := false
		err := in.run(ctx, func(e event) bool {
			if !e.boundary {
				batch = append(batch, e.value)
				return true
			}
			ended := batch
			batch = nil
			stopped = !yield(ended)
			return !stopped
		})
		if err == nil && !stopped {
			yield(batch)
		}
		return err
	}
}

// SampleWhen yields the latest value of o at each value of notifier, unless there was none since the
// one before. It ends when o does, without the value that waits, or when notifier fails; the
// completion of notifier means nothing. Both run on goroutines of their own, and neither waits for the
// subscriber.
//
//	o         ──1─2────────3─4──5─|
//	notifier  ──────x───x───────x──
//	          ──────2───────────4─|
//
// Concurrency: the goroutine of o stores a pointer to each value, atomically, and the subscriber's,
// to which the intake brings the notifications, takes it away.
func SampleWhen[T, N any](o Observable[T], notifier Observable[N]) Observable[T] {
	require(o != nil && notifier != nil, "SampleWhen of a nil observable")
	return func(ctx context.Context, yield func(T) bool) error {
		in := newIntake(ctx, DropOldest[struct{}](1))
		defer in.stop()
		var latest atomic.Pointer[T]
		stored := func(ctx context.Context, _ func(struct{}) bool) error {
			return o(ctx, func(v T) bool {
				latest.Store(&v)
				return true
			})
		}
		in.startUntil(stored, Map(notifier, func(N) struct{} { return struct{}{} }))
		return in.run(ctx, func(struct{}) bool {
			v := latest.Swap(nil)
			return v == nil || yield(*v)
		})
	}
}

// startUntil starts both, and ends the intake as soon as main has completed.
func (in *intake[T]) startUntil(main, other Observable[T]) {
	in.start(func(ctx context.Context, yield func(T) bool) error {
		err := main(ctx, yield)
		if err == nil {
			in.subject.Close(nil)
		}
		return err
	}, other)
}

// SkipUntil drops the values of o until the first value of notifier, and yields those that come after
// it. An error of notifier before its first value is an error of the whole; its completion without a
// value means nothing. Notifier is subscribed to on a goroutine of its own, so nothing orders what it
// does against the first values of o. o stays on the subscriber's.
//
//	o         ──1──2──3──4──|
//	notifier  ─────────x
//	          ───────────4──|
//
// Concurrency: the notifier's goroutine opens the gate, or cancels the context that both share with
// its error as the cause, and is waited for at the end.
func SkipUntil[T, N any](o Observable[T], notifier Observable[N]) Observable[T] {
	require(o != nil && notifier != nil, "SkipUntil of a nil observable")
	return func(ctx context.Context, yield func(T) bool) error {
		ctx, cancel := context.WithCancelCause(ctx)
		var watcher sync.WaitGroup
		defer watcher.Wait()
		defer cancel(nil)
		var open atomic.Bool
		watcher.Go(func() {
			err := errGoexit // until notifier returns
			defer func() {
				if err != nil && !open.Load() {
					cancel(err)
				}
			}()
			err = notifier(ctx, func(N) bool {
				open.Store(true)
				return false
			})
		})
		stopped := false
		err := o(ctx, func(v T) bool {
			if ctx.Err() == nil && open.Load() {
				stopped = !yield(v)
			}
			return !stopped && ctx.Err() == nil
		})
		if stopped {
			return nil
		}
		return cmp.Or(context.Cause(ctx), err)
	}
}
