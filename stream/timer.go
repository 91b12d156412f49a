package stream

import (
	"context"
	"time"
)

// Interval yields the time every d, first after one d, without end. It ticks like time.Ticker: it does
// not make up for ticks that fall due while the subscriber is busy. Interval panics if d is not
// positive.
//
//	d  ───t───t───t──…
func Interval(d time.Duration) Observable[time.Time] {
	positive(d, "Interval")
	return func(ctx context.Context, yield func(time.Time) bool) error {
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		return FromChan(ticker.C)(ctx, yield)
	}
}

// Timer yields the time once, after d, and completes.
func Timer(d time.Duration) Observable[time.Time] {
	return func(ctx context.Context, yield func(time.Time) bool) error {
		if err := sleep(ctx, d); err != nil {
			return err
		}
		yield(time.Now())
		return nil
	}
}

// sleep waits for d and returns nil, or the cause as soon as ctx is cancelled: cancellation wins
// if it comes at the same time.
func sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return context.Cause(ctx)
}
