package stream

import (
	"context"
	"time"
)

// Audit waits for d, which must be positive, after a value, and then yields the latest value. So it
// yields at most one value every d, and, unlike Debounce, never stays silent while values keep coming.
// The value that waits when o completes is yielded before the end; an error drops it. o runs on a
// goroutine of its own and does not wait for the subscriber; for a value that came while yield was
// running, d counts from its return.
//
//	o  ──1─2─3──4────5──────|
//	d  ───────3────4────5───|
//
// To yield the first value without a wait, use ThrottleLatest.
func Audit[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "Audit")
	positive(d, "Audit")
	return func(ctx context.Context, yield func(T) bool) error {
		due := stoppedTimer()
		defer due.Stop()
		var last pending[T]
		return paced(ctx, o, due, &last, yield, func(v T) bool {
			if !last.waits {
				due.Reset(d)
			}
			last.set(v)
			return true
		}, func() bool { return last.flush(yield) })
	}
}

// ThrottleLatest yields a value at once, unless it has yielded one within d, which must be positive;
// then it yields the latest value as soon as d has passed. So it yields at most one value every d,
// does not delay the first and does not lose the last. The value that waits when o completes is yielded
// before the end; an error drops it. o runs on a goroutine of its own and does not wait for the
// subscriber.
//
//	o  ──1─2─3──4────────5──|
//	d  ──1────3────4─────5──|
func ThrottleLatest[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "ThrottleLatest")
	positive(d, "ThrottleLatest")
	return func(ctx context.Context, yield func(T) bool) error {
		open := stoppedTimer()
		defer open.Stop()
		closed := false
		var last pending[T]
		return paced(ctx, o, open, &last, yield, func(v T) bool {
			last.set(v)
			if closed {
				return true
			}
			closed = true
			open.Reset(d)
			return last.flush(yield)
		}, func() bool {
			if closed = last.waits; closed {
				open.Reset(d)
			}
			return last.flush(yield)
		})
	}
}

// paced runs an operator that yields the latest value when a timer allows it.
func paced[T any](
	ctx context.Context, o Observable[T], timer *time.Timer, last *pending[T], yield func(T) bool,
	onValue func(T) bool, onTick func() bool,
) error {
	in := newIntake(ctx, DropOldest[T](1))
	defer in.stop()
	in.start(o)
	ended, err := in.runClocked(ctx, timer.C, onValue, onTick)
	return last.end(ended, err, yield)
}
