package stream

import (
	"cmp"
	"context"
	"time"
)

// Debounce yields a value when no other has followed it for d, which must be positive. The value
// that waits when o completes is yielded before the end; an error drops it. o runs on a goroutine of
// its own and does not wait for the subscriber; for a value that came while yield was running, d counts
// from its return.
//
//	o  ──1─2─3────────4──|
//	d  ──────────3───────4|
func Debounce[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "Debounce")
	positive(d, "Debounce")
	return func(ctx context.Context, yield func(T) bool) error {
		quiet := stoppedTimer()
		defer quiet.Stop()
		var last pending[T]
		return paced(ctx, o, quiet, &last, yield, func(v T) bool {
			last.set(v)
			quiet.Reset(d)
			return true
		}, func() bool { return last.flush(yield) })
	}
}

// Sample yields the latest value every d, which must be positive, unless there was none since the
// last time. The value that waits when o ends is dropped. o runs on a goroutine of its own and does
// not wait for the subscriber.
//
//	o  ──1─2───────3─4─5─|
//	d  ─────2─────────4──|
func Sample[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "Sample")
	positive(d, "Sample")
	return func(ctx context.Context, yield func(T) bool) error {
		in := newIntake(ctx, DropOldest[T](1))
		defer in.stop()
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		in.start(o)
		var last pending[T]
		_, err := in.runClocked(ctx, ticker.C, func(v T) bool {
			last.set(v)
			return true
		}, func() bool { return last.flush(yield) })
		return err
	}
}

// BatchTime yields the values in batches: when there are n of them, or d after the first of them,
// whichever is sooner. n and d must be positive. The batch that is unfinished when o completes is
// yielded before the end; an error drops it. (OnErrorResume with Empty, in front of BatchTime, makes a
// completion of the error.) The subscriber owns the slices. o runs on a goroutine of its own and is
// fetched ahead as by Merge.
//
//	o     ──1─2─3──4─────────|
//	3, d  ──────[1 2 3]───[4]|
func BatchTime[T any](o Observable[T], n int, d time.Duration) Observable[[]T] {
	need(o != nil, "BatchTime")
	positive(d, "BatchTime")
	atLeastOne(n, "BatchTime")
	return func(ctx context.Context, yield func([]T) bool) error {
		in := newIntake(ctx, Block[T](prefetch))
		defer in.stop()
		in.start(o)
		due := stoppedTimer()
		defer due.Stop()
		var batch pending[[]T]
		ended, err := in.runClocked(ctx, due.C, func(v T) bool {
			if !batch.waits {
				due.Reset(d)
			}
			batch.set(append(batch.value, v))
			return len(batch.value) < n || batch.flush(yield)
		}, func() bool { return batch.flush(yield) })
		return batch.end(ended, err, yield)
	}
}

// runClocked is run for operators that also wait for a clock: it calls onValue for every value and
// onTick for every tick, and returns nil and false when one of them returned false. With true it
// returns how o ended; all values have been seen then.
//
// Concurrency: both are called on the subscriber's goroutine, so that what they share needs no lock.
func (in *intake[T]) runClocked(
	ctx context.Context, tick <-chan time.Time, onValue func(T) bool, onTick func() bool,
) (bool, error) {
	for ctx.Err() == nil {
		batch, ended, err := in.take()
		if ended {
			return true, cmp.Or(context.Cause(ctx), err)
		}
		for _, v := range batch {
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			if !onValue(v) {
				return false, nil
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-in.wake:
		case <-tick:
			if ctx.Err() == nil && !onTick() {
				return false, nil
			}
		case <-ctx.Done():
		}
	}
	return false, context.Cause(ctx)
}

// A pending is a value that waits for its time, or none.
type pending[T any] struct {
	value T
	waits bool
}

func (p *pending[T]) set(v T) { p.value, p.waits = v, true }

// flush yields the value, if there is one.
func (p *pending[T]) flush(yield func(T) bool) bool {
	if !p.waits {
		return true
	}
	v := p.value
	*p = pending[T]{}
	return yield(v)
}

// end is the last step of an operator whose pending value comes before its completion: ended and err
// are what runClocked returned.
func (p *pending[T]) end(ended bool, err error, yield func(T) bool) error {
	if ended && err == nil {
		p.flush(yield)
	}
	return err
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// Throttle yields a value and then drops those that come within d of it, d being positive. It has
// no goroutine.
//
//	o  ──1─2─3─────4──5──|
//	d  ──1─────────4─────|
func Throttle[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "Throttle")
	positive(d, "Throttle")
	return func(ctx context.Context, yield func(T) bool) error {
		var last time.Time
		started := false
		return o(ctx, func(v T) bool {
			now := time.Now()
			if started && now.Sub(last) < d {
				return true
			}
			started, last = true, now
			return yield(v)
		})
	}
}

// Delay yields each value d after it came. The end is not delayed by itself, but comes after the
// values, and so does an error, which in ReactiveX overtakes them. o runs on a goroutine of its own
// and waits while 4,096 values are under way.
//
//	o  ──1──2──3──|
//	d  ─────1──2──3|
//
// Concurrency: that of Buffer; the values carry their times, and the waiting is the subscriber's.
func Delay[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "Delay")
	type dated struct {
		value T
		due   time.Time
	}
	delayed := Buffer(Map(o, func(v T) dated { return dated{v, time.Now().Add(d)} }), Block[dated](maxDelayed))
	return func(ctx context.Context, yield func(T) bool) error {
		stopped := false
		var cancelled error
		err := delayed(ctx, func(v dated) bool {
			if cancelled = sleep(ctx, time.Until(v.due)); cancelled != nil {
				return false
			}
			stopped = !yield(v.value)
			return !stopped
		})
		if cancelled != nil {
			return cancelled
		}
		return unless(stopped, err)
	}
}

const maxDelayed = 4096
