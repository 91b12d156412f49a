package stream

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Zip yields f of the first values of both sources, then of the second ones, and so on. They run
// on goroutines of their own, and each is fetched ahead as in Merge. It completes when a source has
// completed and all its values have found their counterpart. The first error stops the other source;
// it is returned after the pairs that were there, and those that the other source makes before it first
// waits, but does not wait for the counterparts of other values.
//
//	a  ──1──2────────3──|
//	b  ───────x──y─|
//	   ───────1x─2y|
//
// Concurrency: each source has an intake of its own, so that neither can fill the room of the other.
// They share one context, whose cause is the first error. Both intakes are emptied by the subscriber's
// goroutine alone.
func Zip[A, B, C any](a Observable[A], b Observable[B], f func(A, B) C) Observable[C] {
	need(a != nil && b != nil && f != nil, "Zip")
	return func(ctx context.Context, yield func(C) bool) error {
		both, cancel := context.WithCancelCause(ctx)
		z := &zipper[A, B]{ctx: ctx, both: both, complete: errors.New("stream: Zip has completed")}
		z.a.intake, z.a.probe = newIntakeWith(both, cancel, Block[A](prefetch)), newProbe(both)
		z.b.intake, z.b.probe = newIntakeWith(both, cancel, Block[B](prefetch)), newProbe(both)
		defer z.a.stop()
		defer z.b.stop()
		z.a.start(paired(a, &z.a, &z.b, z.complete))
		z.b.start(paired(b, &z.b, &z.a, z.complete))
		for {
			pairs, more, err := z.next()
			if !more {
				return err
			}
			for i := range pairs {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if !yield(f(z.a.batch[i], z.b.batch[i])) {
					return nil
				}
			}
			z.a.batch, z.b.batch = z.a.batch[pairs:], z.b.batch[pairs:]
		}
	}
}

// A zipper is one subscription to a Zip.
type zipper[A, B any] struct {
	ctx  context.Context // the subscriber's
	both context.Context // of both sources, which is cancelled by completion or the first error
	a    side[A]
	b    side[B]

	complete error // the cause of both when all have their counterparts; of this subscription alone
}

// next returns how many pairs there are. It waits if there are none but may be some, and then
// returns 0. Without more there will be none.
func (z *zipper[A, B]) next() (pairs int, more bool, err error) {
	over := z.both.Err() != nil // looked at first: what came before is there by now
	endedA, errA := z.a.fill()
	endedB, errB := z.b.fill()
	pairs = min(len(z.a.batch), len(z.b.batch))
	switch {
	case pairs > 0:
		return pairs, true, nil
	case over || endedA || endedB:
		return 0, false, z.end(cmp.Or(errA, errB))
	}
	select {
	case <-z.a.wake:
	case <-z.b.wake:
	case <-z.both.Done():
	}
	return 0, true, nil
}

// end returns how it has ended, if err is the error of a source that has ended.
func (z *zipper[A, B]) end(err error) error {
	if cause := context.Cause(z.both); cause != nil {
		err = cause
	}
	return cmp.Or(context.Cause(z.ctx), unless(err == z.complete, err))
}

// A side is one of the two sources of a Zip, and what was taken from it.
type side[T any] struct {
	*intake[T]
	batch     []T
	completed atomic.Bool
	probe     *probe
	wanted    atomic.Uint64 // how many values settle it, unless 0
}

// fill takes a batch unless there is one. It reports the end only when there is no value left.
func (s *side[T]) fill() (ended bool, err error) {
	if len(s.batch) == 0 {
		s.batch, ended, err = s.take()
	}
	return ended, err
}

// pushed returns how many values the source has yielded.
func (s *side[T]) pushed() uint64 {
	s.subject.mu.Lock()
	defer s.subject.mu.Unlock()
	return s.subject.log.end()
}

// paired is o, one source of a Zip. With the last counterpart it cancels the context of both, with
// complete as the cause. Before it fails it lets the other one catch up: if that fails first, the context
// of both ends with its error, and only then does this one return.
func paired[T, U any](o Observable[T], own *side[T], other *side[U], complete error) Observable[T] {
	return func(_ context.Context, yield func(T) bool) error {
		err := o(own.probe, func(v T) bool {
			more := yield(v)
			if wanted := own.wanted.Load(); wanted > 0 && own.pushed() >= wanted {
				own.probe.settle()
			}
			if other.completed.Load() && own.pushed() >= other.pushed() {
				own.cancel(complete)
			}
			return more
		})
		if err != nil {
			other.wanted.Store(own.pushed()) // before it is looked at, or its last value may go unnoticed
			if other.pushed() < own.pushed() {
				other.probe.wait(own.ctx, time.Now())
			}
			return err
		}
		own.completed.Store(true)
		if other.pushed() >= own.pushed() {
			own.cancel(complete)
		}
		own.probe.settle()
		return nil
	}
}
