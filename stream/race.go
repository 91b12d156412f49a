package stream

import (
	"context"
	"sync/atomic"
	"time"
)

// Race subscribes to all sources and becomes the one that is the first to yield a value or to end;
// the others are stopped. Of several that are ready, the first argument wins: a source gives way to
// those before it, as the package comment describes. The sources run on goroutines of their own.
// Without a source it completes.
//
//	a  ─────1──2──|
//	b  ──x─────y──|
//	   ──x─────y──|
func Race[T any](sources ...Observable[T]) Observable[T] {
	need(allThere(sources), "Race")
	if len(sources) == 0 {
		return Empty[T]()
	}
	return func(ctx context.Context, yield func(T) bool) error {
		in := newIntake(ctx, Block[T](prefetch))
		defer in.stop()
		r := &race{here: make([]atomic.Bool, len(sources)), cancel: make([]context.CancelFunc, len(sources)), begin: time.Now()}
		racers := make([]Observable[T], len(sources))
		for i, o := range sources {
			var racerCtx context.Context
			racerCtx, r.cancel[i] = context.WithCancel(in.ctx)
			racers[i] = racer(racerCtx, o, r, i)
		}
		in.start(racers...)
		return in.run(ctx, yield)
	}
}

// racer is o, the source number i of a race, if it wins; else it completes without a value.
func racer[T any](ctx context.Context, o Observable[T], r *race, i int) Observable[T] {
	return func(_ context.Context, yield func(T) bool) (err error) {
		defer r.cancel[i]()
		err = o(ctx, func(v T) bool { return r.wins(ctx, i) && yield(v) })
		return unless(!r.wins(ctx, i), err)
	}
}

// A race has at most one winner.
//
// Concurrency: who swaps the winner in does so before that has passed anything on, and then stops
// the others; a source that finds another winner there passes nothing on.
type race struct {
	here   []atomic.Bool // those that have a value or have ended
	winner atomic.Int64  // its number plus 1, or 0
	begin  time.Time
	cancel []context.CancelFunc
}

// wins reports whether source i, which has a value or has ended, is the one that counts.
func (r *race) wins(ctx context.Context, i int) bool {
	if r.winner.Load() == 0 {
		r.here[i].Store(true)
		if time.Since(r.begin) < headStart {
			giveWay(ctx, func() bool { return r.winner.Load() != 0 || r.first() == 0 })
		}
		r.decide(r.first())
	}
	return r.winner.Load() == int64(i+1)
}

// first returns the first source that is there.
func (r *race) first() int {
	for i := range r.here {
		if r.here[i].Load() {
			return i
		}
	}
	return len(r.here)
}

// decide makes source i the winner unless there is one.
func (r *race) decide(i int) {
	if !r.winner.CompareAndSwap(0, int64(i+1)) {
		return
	}
	for k, cancel := range r.cancel {
		if k != i {
			cancel()
		}
	}
}
