package stream

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
)

// CombineLatest yields f of the latest values of both sources, at each value of either, once both
// have one. They run on goroutines of their own, and up to 128 values are fetched ahead. It
// completes when both have, or as soon as one has without a value.
//
//	a  ──1─────2────────|
//	b  ─────x─────y──|
//	   ─────1x─2x─2y────|
//
// Concurrency: the goroutines are those of Merge, which brings both sources, ends and all, to the
// subscriber's, the only one to see what is remembered here.
func CombineLatest[A, B, C any](a Observable[A], b Observable[B], f func(A, B) C) Observable[C] {
	both := Merge(
		Map(Materialize(a), func(n Notification[A]) either[A, B] { return either[A, B]{a: n} }),
		Map(Materialize(b), func(n Notification[B]) either[A, B] { return either[A, B]{b: n, second: true} }),
	)
	return func(ctx context.Context, yield func(C) bool) error {
		var latestA A
		var latestB B
		var hasA, hasB, done bool
		var failed error
		err := both(ctx, func(n either[A, B]) bool {
			switch {
			case n.a.Done || n.b.Done:
				failed = cmp.Or(n.a.Err, n.b.Err)
				done = failed != nil || n.a.Done && !hasA || n.b.Done && !hasB
				return !done
			case n.second:
				latestB, hasB = n.b.Value, true
			default:
				latestA, hasA = n.a.Value, true
			}
			if hasA && hasB {
				done = !yield(f(latestA, latestB))
			}
			return !done
		})
		if failed != nil {
			return failed
		}
		return unless(done, err)
	}
}

// An either is a notification of one of two sources.
type either[A, B any] struct {
	a      Notification[A]
	b      Notification[B]
	second bool
}

// WithLatestFrom yields f of each value of o and the latest of other; values of o are dropped as
// long as other has none. It ends when o does, or other fails. o runs on the subscriber's
// goroutine, other on one of its own, which never waits for the subscriber.
//
//	o      ──1─────2──3─────|
//	other  ─────x───────y──z──
//	       ────────2x─3x────|
//
// Concurrency: other's goroutine stores a pointer to each value, atomically, and the subscriber's loads
// it. The first to cancel the context they share leaves the reason: the subscriber's own context,
// other's error, or nil at the end, when other is waited for.
func WithLatestFrom[A, B, C any](o Observable[A], other Observable[B], f func(A, B) C) Observable[C] {
	return func(ctx context.Context, yield func(C) bool) error {
		ctx, cancel := context.WithCancelCause(ctx)
		var watcher sync.WaitGroup
		defer watcher.Wait()
		defer cancel(nil)
		var latest atomic.Pointer[B]
		watcher.Go(func() {
			err := other(ctx, func(b B) bool {
				latest.Store(&b)
				return true
			})
			if err != nil {
				cancel(err)
			}
		})
		stopped := false
		err := o(ctx, func(a A) bool {
			b := latest.Load()
			switch {
			case ctx.Err() != nil:
				return false
			case b != nil:
				stopped = !yield(f(a, *b))
			}
			return !stopped
		})
		if stopped {
			return nil
		}
		return cmp.Or(context.Cause(ctx), err)
	}
}

// Zip yields f of the first values of both sources, then of the second ones, and so on. They run
// on goroutines of their own, and up to 128 values are fetched ahead of each. It ends when a source
// has ended and all its values have found their counterpart.
//
//	a  ──1──2────────3──|
//	b  ───────x──y─|
//	   ───────1x─2y|
//
// Concurrency: each source has an intake of its own, so that neither can fill the room of the other;
// both are emptied by the subscriber's goroutine alone.
func Zip[A, B, C any](a Observable[A], b Observable[B], f func(A, B) C) Observable[C] {
	return func(ctx context.Context, yield func(C) bool) error {
		as, bs := newSide(ctx, a), newSide(ctx, b)
		defer as.stop()
		defer bs.stop()
		for {
			ended, err := as.fill()
			if !ended {
				ended, err = bs.fill()
			}
			if ended {
				return cmp.Or(context.Cause(ctx), err)
			}
			pairs := min(len(as.batch), len(bs.batch))
			for i := range pairs {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if !yield(f(as.batch[i], bs.batch[i])) {
					return nil
				}
			}
			as.batch, bs.batch = as.batch[pairs:], bs.batch[pairs:]
			if pairs > 0 {
				continue
			}
			select {
			case <-as.wake:
			case <-bs.wake:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// A side is one of the two sources of a Zip, and what was taken from it.
type side[T any] struct {
	*intake[T]
	batch []T
}

func newSide[T any](ctx context.Context, o Observable[T]) *side[T] {
	s := &side[T]{intake: newIntake(ctx, Block[T](prefetch))}
	s.start(o)
	return s
}

// fill takes a batch unless there is one.
func (s *side[T]) fill() (ended bool, err error) {
	if len(s.batch) == 0 {
		s.batch, ended, err = s.take()
	}
	return ended, err
}

// Race subscribes to all sources and becomes the one that is the first to yield a value or to end;
// the others are stopped. They run on goroutines of their own. Without a source it completes.
//
//	a  ─────1──2──|
//	b  ──x─────y──|
//	   ──x─────y──|
func Race[T any](sources ...Observable[T]) Observable[T] {
	if len(sources) == 0 {
		return Empty[T]()
	}
	return func(ctx context.Context, yield func(T) bool) error {
		in := newIntake(ctx, Block[T](prefetch))
		defer in.stop()
		r := race{cancel: make([]context.CancelFunc, len(sources))}
		racers := make([]Observable[T], len(sources))
		for i, o := range sources {
			racerCtx, cancel := context.WithCancel(in.ctx)
			r.cancel[i] = cancel
			racers[i] = func(_ context.Context, yield func(T) bool) error {
				err := o(racerCtx, func(v T) bool { return r.wins(i) && yield(v) })
				if !r.wins(i) {
					return nil
				}
				return err
			}
		}
		in.start(racers...)
		return in.run(ctx, yield)
	}
}

// A race has at most one winner.
//
// Concurrency: who swaps the winner in has won, before it has passed anything on, and then stops
// the others; who finds another there passes nothing on.
type race struct {
	winner atomic.Int64 // its number plus 1, or 0
	cancel []context.CancelFunc
}

func (r *race) wins(i int) bool {
	me := int64(i + 1)
	if r.winner.Load() == 0 && r.winner.CompareAndSwap(0, me) {
		for k, cancel := range r.cancel {
			if k != i {
				cancel()
			}
		}
	}
	return r.winner.Load() == me
}
