package stream

import (
	"context"
	"sync/atomic"
)

// BatchWhen gathers the values of o into slices, which belong to the receiver. Each value of boundary
// ends a batch, and so does the completion of o; a batch may be empty. The completion of boundary means
// nothing. An error of either ends the sequence and drops the unfinished batch. Both run on goroutines
// of their own and are fetched ahead as by Merge.
//
//	o         ──1──2──────3───|
//	boundary  ────────x─x─────
//	          ──────[1 2][]───[3]|
//
// Concurrency: both meet in one intake, which puts values and boundaries in one order.
func BatchWhen[T, B any](o Observable[T], boundary Observable[B]) Observable[[]T] {
	need(o != nil && boundary != nil, "BatchWhen")
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

// SampleWhen yields the latest value of o at each value of notifier, unless o had none since the
// notification before. It ends when o does, and drops the value that waits. An error of notifier ends
// it; the completion of notifier means nothing. Both run on goroutines of their own, and neither waits
// for the subscriber.
//
//	o         ──1─2────────3─4──5─|
//	notifier  ──────x───x───────x──
//	          ──────2───────────4─|
//
// Concurrency: the goroutine of o stores a pointer to each value, atomically, and the subscriber's,
// to which the intake brings the notifications, takes it away.
func SampleWhen[T, N any](o Observable[T], notifier Observable[N]) Observable[T] {
	need(o != nil && notifier != nil, "SampleWhen")
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

// startUntil starts both. As soon as main has completed, it ends the intake and stops the other.
func (in *intake[T]) startUntil(main, other Observable[T]) {
	in.start(func(ctx context.Context, yield func(T) bool) error {
		err := main(ctx, yield)
		if err == nil {
			in.subject.Close(nil)
			in.cancel(nil)
		}
		return err
	}, other)
}

// SkipUntil drops the values of o until the first value of notifier, and yields those that come after
// it. An error of notifier before its first value is an error of the whole; its completion without a
// value means nothing. o stays on the subscriber's goroutine and notifier has one of its own. A notifier
// that is ready counts for the first value of o, as with WithLatestFrom.
//
//	o         ──1──2──3──4──|
//	notifier  ─────────x
//	          ───────────4──|
func SkipUntil[T, N any](o Observable[T], notifier Observable[N]) Observable[T] {
	need(o != nil && notifier != nil, "SkipUntil")
	return WithLatestFrom(o, Take(notifier, 1), func(v T, _ N) T { return v })
}
