package stream

import (
	"cmp"
	"context"
)

// FlatMap yields the values of all inner observables that f makes of the values of o, as they come,
// with at most n of them running at a time: o waits while there are n. o and the inner ones have
// goroutines of their own, and f is called on that of o. It fetches ahead and ends as Merge does.
// FlatMap panics if n is less than 1.
//
//	o           ──1──────2──────────|
//	x → x─x──|  ──1──1───2──2──|
//
// Concurrency: everything runs in one intake. o's goroutine takes a token for each inner observable it
// starts, which gives it back when it has completed; both waits, for a token and for room, end with the
// intake's context.
func FlatMap[T, U any](o Observable[T], n int, f func(T) Observable[U]) Observable[U] {
	if n < 1 {
		panic("stream: FlatMap with less than one at a time")
	}
	return func(ctx context.Context, yield func(U) bool) error {
		in := newIntake(ctx, Block[U](prefetch))
		defer in.stop()
		running := make(chan struct{}, n)
		in.start(func(ctx context.Context, _ func(U) bool) error {
			return o(ctx, func(v T) bool {
				select {
				case running <- struct{}{}:
				case <-ctx.Done():
					return false
				}
				inner := f(v)
				in.start(func(ctx context.Context, yield func(U) bool) error {
					err := inner(ctx, yield)
					if err == nil {
						<-running // after an error no other one is to begin
					}
					return err
				})
				return true
			})
		})
		return in.run(ctx, yield)
	}
}

// SwitchMap yields the values of the inner observable that f makes of the latest value of o. A
// new value of o stops the inner one before it, and waits for that; once o has passed a value on,
// nothing of an older inner one is yielded any more, and what waits of it is dropped. It completes
// when o and the last inner one have. An error of o ends it at once.
//
// o and the inner one have goroutines of their own; f is called on the subscriber's. o waits while
// a value of it waits, and up to 128 inner values are fetched ahead.
//
//	o              ──1─────2────────|
//	x → xa─xb─xc|  ──1a─1b─2a─2b─2c─|
func SwitchMap[T, U any](o Observable[T], f func(T) Observable[U]) Observable[U] {
	return func(ctx context.Context, yield func(U) bool) error {
		outer, stop := o.Chan(ctx, 0)
		defer stop()
		s := &switcher[T, U]{ctx: ctx, f: f, outer: outer, stop: stop, yield: yield}
		defer s.drop()
		for !s.ended && s.err == nil {
			s.step()
		}
		return s.err
	}
}

// A switcher is one subscription to a SwitchMap.
//
// Concurrency: o sends its values over a channel without room. So it goes on only after the
// subscriber's goroutine, the only one to touch a switcher, has received the value; and that looks
// for one before each value that it passes on.
type switcher[T, U any] struct {
	ctx   context.Context
	f     func(T) Observable[U]
	outer <-chan T // nil when o has completed
	stop  func() error
	inner *intake[U] // nil when there is none
	batch []U        // what was taken from it
	yield func(U) bool
	ended bool
	err   error
}

// step does one thing, or waits until there is one to do.
func (s *switcher[T, U]) step() {
	switch {
	case len(s.batch) > 0:
		s.deliver()
	case s.inner != nil:
		s.refill()
	case s.outer != nil:
		s.wait(nil)
	default:
		s.ended, s.err = true, context.Cause(s.ctx)
	}
}

// deliver yields the next value of the inner observable, unless there is one of o.
func (s *switcher[T, U]) deliver() {
	select {
	case <-s.ctx.Done():
		s.err = context.Cause(s.ctx)
	case v, ok := <-s.outer:
		s.replace(v, ok)
	default:
		v := s.batch[0]
		s.batch = s.batch[1:]
		s.ended = !s.yield(v)
	}
}

// refill takes what waits of the inner observable; if nothing does, it waits for something to do.
func (s *switcher[T, U]) refill() {
	batch, ended, err := s.inner.take()
	switch {
	case ended:
		s.drop()
		s.err = cmp.Or(context.Cause(s.ctx), err)
	case len(batch) > 0:
		s.batch = batch
	default:
		s.wait(s.inner.wake)
	}
}

func (s *switcher[T, U]) wait(inner <-chan struct{}) {
	select {
	case <-s.ctx.Done():
		s.err = context.Cause(s.ctx)
	case v, ok := <-s.outer:
		s.replace(v, ok)
	case <-inner:
	}
}

// replace acts upon a value of o, or its end.
func (s *switcher[T, U]) replace(v T, ok bool) {
	if !ok {
		s.outer = nil
		s.err = s.stop()
		return
	}
	s.drop()
	s.inner = newIntake(s.ctx, Block[U](prefetch))
	s.inner.start(s.f(v))
}

// drop ends the inner observable and forgets what waits of it.
func (s *switcher[T, U]) drop() {
	if s.inner != nil {
		s.inner.stop()
		s.inner, s.batch = nil, nil
	}
}
