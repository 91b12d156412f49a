package stream

import (
	"context"
	"time"
)

// IntervalWithInitial is an Interval whose first tick comes after initial, at once if that is not
// positive, and each later one d after the one before. It panics if d is not positive.
//
//	initial, d  ─t────t────t──…
func IntervalWithInitial(initial, d time.Duration) Observable[time.Time] {
	positive(d, "IntervalWithInitial")
	return func(ctx context.Context, yield func(time.Time) bool) error {
		if err := sleep(ctx, initial); err != nil {
			return err
		}
		ticker := time.NewTicker(d)
		defer ticker.Stop()
		if !yield(time.Now()) {
			return nil
		}
		return FromChan(ticker.C)(ctx, yield)
	}
}
