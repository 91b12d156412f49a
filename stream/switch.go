package stream

import (
	"context"
	"runtime"
	"sync/atomic"
)

// SwitchMap yields the values of the inner observable that f makes of the latest value of o. A
// new value of o stops the inner one before it, and waits for that; once o has passed a value on,
// nothing of an older inner one is yielded any more, and what waits of it is dropped. It completes
// when o and the last inner one have. An error of either stops the other and is returned after the
// values that came before it.
//
// o and the inner one have goroutines of their own; f is called on the subscriber's. o waits until a
// value of it has stopped the inner observable. Inner values are fetched ahead as in Merge.
//
//	o              ──1─────2────────|
//	x → xa─xb─xc|  ──1a─1b─2a─2b─2c─|
func SwitchMap[T, U any](o Observable[T], f func(T) Observable[U]) Observable[U] {
	need(o != nil && f != nil, "SwitchMap")
	return func(ctx context.Context, yield func(U) bool) error {
		s := &switcher[T, U]{
			intake: newIntake(ctx, Block[switched[T, U]](prefetch)),
			f:      f, yield: yield, replaced: make(chan struct{}, 1), stopInner: func() {},
		}
		defer s.stop()
		s.start(func(ctx context.Context, _ func(switched[T, U]) bool) error {
			return o(ctx, func(v T) bool { return s.announce(ctx, v) })
		})
		return s.run(ctx, s.accept)
	}
}

// A switched is a value of the outer observable, or one of the inner observable that was made of it.
type switched[T, U any] struct {
	number  int64 // that of the outer value, from 1
	isInner bool
	outer   T
	inner   U
}

// A switcher is one subscription to a SwitchMap.
//
// Concurrency: o and the inner observable push to one intake. latest changes under the lock of its
// subject, together with the announcement of the outer value, so that every error is either before
// it or that of an inner observable that nobody asks for any more. f, yield and stopInner belong to
// the subscriber's goroutine, which looks at latest before each inner value.
type switcher[T, U any] struct {
	*intake[switched[T, U]]
	f         func(T) Observable[U]
	yield     func(U) bool
	latest    atomic.Int64  // the number of the latest outer value
	replaced  chan struct{} // gets a token for each outer value that has stopped the inner one
	stopInner func()
}

// announce is the yield of o. It returns when the value has stopped the inner observable.
func (s *switcher[T, U]) announce(ctx context.Context, v T) bool {
	err := s.subject.Update(ctx, func(emit func(switched[T, U])) {
		emit(switched[T, U]{number: s.latest.Add(1), outer: v})
	})
	if err != nil {
		return false
	}
	select {
	case <-s.replaced:
		return true
	case <-ctx.Done():
		return false
	}
}

// accept acts upon what o and the inner observable have pushed.
func (s *switcher[T, U]) accept(v switched[T, U]) bool {
	switch {
	case !v.isInner:
		s.replace(v)
		return true
	case v.number != s.latest.Load():
		return true
	default:
		return s.yield(v.inner)
	}
}

// replace starts the inner observable of an outer value in place of the one before it. o goes on first:
// if it fails at once, or has another value, nothing comes of this one.
func (s *switcher[T, U]) replace(v switched[T, U]) {
	s.stopInner()
	s.live.Add(1) // from now on the end of o is not that of all
	defer s.ended(nil)
	s.replaced <- struct{}{}
	s.letOuterRun(v.number)
	if s.ctx.Err() != nil {
		return
	}
	inner := made(s.f(v.outer), "SwitchMap")
	ctx, cancel := context.WithCancel(s.ctx)
	gone := make(chan struct{})
	s.stopInner = func() {
		cancel()
		<-gone
	}
	s.start(func(context.Context, func(switched[T, U]) bool) error {
		defer close(gone)
		defer cancel()
		return s.runInner(ctx, inner, v.number)
	})
}

// letOuterRun gives o, which was at value number, some turns, until it has another value or has failed.
func (s *switcher[T, U]) letOuterRun(number int64) {
	for range 100 {
		if s.ctx.Err() != nil || s.latest.Load() != number {
			return
		}
		runtime.Gosched()
	}
}

func (s *switcher[T, U]) runInner(ctx context.Context, inner Observable[U], number int64) error {
	err := inner(ctx, func(u U) bool {
		return s.subject.Publish(ctx, switched[T, U]{number: number, isInner: true, inner: u}) == nil
	})
	if err != nil && !s.subject.closeIf(err, func() bool { return s.latest.Load() == number }) {
		return nil
	}
	return err
}
