package stream

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// CombineLatest yields f of the latest values of both sources, at each value of either, once both
// have one. They run on goroutines of their own and are fetched ahead as in Merge. It completes when
// both have, or as soon as one has without a value. The first error stops the other source and is
// returned after what came before it.
//
//	a  ──1─────2────────|
//	b  ─────x─────y──|
//	   ─────1x─2x─2y────|
//
// Concurrency: both sources run in one intake, which brings their values to the subscriber's goroutine,
// the only one to see what is remembered here.
func CombineLatest[A, B, C any](a Observable[A], b Observable[B], f func(A, B) C) Observable[C] {
	need(a != nil && b != nil && f != nil, "CombineLatest")
	return func(ctx context.Context, yield func(C) bool) error {
		in := newIntake(ctx, Block[either[A, B]](prefetch))
		defer in.stop()
		never := errors.New("stream: a source of CombineLatest has no value") // of this subscription alone
		in.start(
			notEmpty(Map(a, func(v A) either[A, B] { return either[A, B]{a: v} }), never),
			notEmpty(Map(b, func(v B) either[A, B] { return either[A, B]{b: v, second: true} }), never),
		)
		var latest either[A, B]
		var hasA, hasB bool
		err := in.run(ctx, func(v either[A, B]) bool {
			if v.second {
				latest.b, hasB = v.b, true
			} else {
				latest.a, hasA = v.a, true
			}
			return !hasA || !hasB || yield(f(latest.a, latest.b))
		})
		return unless(err == never, err)
	}
}

// An either is a value of one of two sources.
type either[A, B any] struct {
	a      A
	b      B
	second bool
}

// notEmpty is o, but fails if o completes without a value.
func notEmpty[T any](o Observable[T], empty error) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		found := false
		err := o(ctx, func(v T) bool {
			found = true
			return yield(v)
		})
		if err == nil && !found {
			return empty
		}
		return err
	}
}

// WithLatestFrom yields f of each value of o and the latest of other; values of o are dropped as
// long as other has none. What other yields before it first waits counts for the first value of o, as
// the package comment describes it. It ends when o does, or other fails. o runs on the subscriber's
// goroutine, other on one of its own, which never waits for the subscriber.
//
//	o      ──1──2─────2──3─────|
//	other  ─────x───────y──z──
//	       ─────2x────2x─3y────|
//
// Concurrency: other's goroutine stores a pointer to each value, atomically, and the subscriber's loads
// it. The first to cancel the context they share leaves the reason: the subscriber's own context,
// other's error, or nil at the end, when other is waited for.
func WithLatestFrom[A, B, C any](o Observable[A], other Observable[B], f func(A, B) C) Observable[C] {
	need(o != nil && other != nil && f != nil, "WithLatestFrom")
	return func(ctx context.Context, yield func(C) bool) error {
		ctx, cancel := context.WithCancelCause(ctx)
		l := &latest[B]{probe: newProbe(ctx), cancel: cancel}
		begin := time.Now()
		defer l.wait.Wait()
		defer cancel(nil)
		l.wait.Go(func() { l.follow(other) })
		first, stopped := true, false
		err := o(ctx, func(a A) bool {
			if first {
				first = false
				l.probe.wait(ctx, begin)
			}
			b := l.value.Load()
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

// A latest has the latest value of an observable that runs on a goroutine of its own.
type latest[T any] struct {
	value  atomic.Pointer[T]
	probe  *probe
	wait   sync.WaitGroup
	cancel context.CancelCauseFunc
}

// follow subscribes to o. An error of o cancels the context.
func (l *latest[T]) follow(o Observable[T]) {
	err := errGoexit // until o returns
	defer l.probe.settle()
	defer func() {
		if err != nil {
			l.cancel(err)
		}
	}()
	err = o(l.probe, func(v T) bool {
		l.value.Store(&v)
		return true
	})
}
