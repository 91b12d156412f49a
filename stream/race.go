package stream

import (
	"context"
	"sync/atomic"
	"time"
)

// Race subscribes to all sources and becomes the one that is the first to yield a value or to end;
// the others are stopped. Of several sources that are ready, as the package comment describes it, the
// first argument wins. The sources run on goroutines of their own. Without a source it completes.
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
		r := &race{begin: time.Now(), arrived: make([]atomic.Bool, len(sources))}
		racers := make([]Observable[T], len(sources))
		for i, o := range sources {
			racerCtx, cancel := context.WithCancel(in.ctx)
			r.probes, r.cancel = append(r.probes, newProbe(racerCtx)), append(r.cancel, cancel)
			racers[i] = racer(o, r, i)
		}
		in.start(racers...)
		return in.run(ctx, yield)
	}
}

// racer is o, the source number i of a race, if it wins; else it completes without a value.
func racer[T any](o Observable[T], r *race, i int) Observable[T] {
	return func(_ context.Context, yield func(T) bool) error {
		defer r.cancel[i]()
		defer r.probes[i].settle()
		err := o(r.probes[i], func(v T) bool { return r.wins(i) && yield(v) })
		return unless(!r.wins(i), err)
	}
}

// A race has at most one winner.
//
// Concurrency: a source that has arrived waits until those before it are past their beginning. It then
// swaps in the first that has arrived as the winner, if there is none yet, and stops the others. A source
// passes nothing on before it has found itself there.
type race struct {
	begin   time.Time
	probes  []*probe      // of the sources
	arrived []atomic.Bool // whether a source has a value or has ended
	winner  atomic.Int64  // its number plus 1, or 0
	cancel  []context.CancelFunc
}

// wins reports whether source i, which has a value or has ended, is the winner.
func (r *race) wins(i int) bool {
	if r.winner.Load() == 0 {
		r.arrived[i].Store(true)
		r.probes[i].settle()
		for _, earlier := range r.probes[:i] {
			earlier.wait(r.probes[i].Context, r.begin)
		}
		r.decide(r.first())
	}
	return r.winner.Load() == int64(i+1)
}

// first returns the first source that has arrived. There is one.
func (r *race) first() int {
	i := 0
	for !r.arrived[i].Load() {
		i++
	}
	return i
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
