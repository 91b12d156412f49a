package stream

import (
	"context"
	"sync"
)

// Share serves all subscribers from one subscription to o, which begins with the first subscriber and
// ends with the last, who waits for its end. Each gets the values that come after it has subscribed,
// with the policy p. When o ends, all end in the same way. The next subscriber subscribes to o again,
// but not before the former subscription is gone.
//
// o runs on a goroutine of its own, with the values of the first subscriber's context. A policy with a
// Meter gives the statistics of the subscribers.
//
//	o       ──1──2──3──4──|
//	first   ──1──2──3──4──|
//	second      (2──3──4──|   subscribed after 1
func Share[T any](o Observable[T], p Policy[T]) Observable[T] {
	need(o != nil, "Share")
	return ShareWith(o, &ShareOptions[T]{Policy: p})
}

// Replay is Share whose newcomers first get the last n values that o yielded since it was
// subscribed to. When o has completed it is not subscribed to again: newcomers get the last values and
// the end, which it remembers as long as the observable that it returned is in use. When o has failed,
// the next subscriber begins anew, as with Share. Replay panics if n is less than 1.
//
//	o       ──1──2──3──4──|
//	2           (12─3──4──|   subscribed after 2
//	2                       (34|   subscribed after the end
func Replay[T any](o Observable[T], n int, p Policy[T]) Observable[T] {
	need(o != nil, "Replay")
	atLeastOne(n, "Replay")
	return ShareWith(o, &ShareOptions[T]{Policy: p, Replay: n, KeepCompletion: true})
}

// A shared is an observable that is subscribed to once for many.
//
// Concurrency: mu guards the fields below it, and refs of the runs; it is held while a subscriber
// joins a run, so that nobody joins one that is about to be cancelled. The lock of a run's subject
// is taken within it, never the other way round.
type shared[T any] struct {
	o    Observable[T]
	opts ShareOptions[T]

	mu      sync.Mutex
	current *run[T]         // what newcomers join; nil before the first and after its end, unless that is replayed
	last    <-chan struct{} // closed when the latest one begun is gone
}

// A run is one subscription to the shared observable.
type run[T any] struct {
	subject *Subject[T]
	history history[T] // guarded by subject
	refs    int
	ended   bool // o has ended by itself; guarded as refs is
	cancel  context.CancelFunc
	done    chan struct{}
}

func (s *shared[T]) subscribe(ctx context.Context, yield func(T) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r, sub := s.join(ctx)
	defer s.leave(r, sub)
	return sub.run(ctx, yield)
}

// join returns a run and a subscription to its subject, which is there before o can yield.
func (s *shared[T]) join(ctx context.Context) (*run[T], *subscription[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.current; r != nil {
		r.refs++
		return r, r.subject.join(s.opts.Policy, r.history.recent)
	}
	r := &run[T]{subject: NewSubject[T](), refs: 1, done: make(chan struct{})}
	r.history = newHistory[T](s.opts.Replay, s.opts.MaxAge)
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	before := s.last
	s.current, s.last = r, r.done
	sub := r.subject.join(s.opts.Policy, nil)
	go s.execute(ctx, r, before)
	return r, sub
}

// leave ends the run, and waits for its end, if nobody else needs it.
func (s *shared[T]) leave(r *run[T], sub *subscription[T]) {
	sub.leave()
	s.mu.Lock()
	r.refs--
	last := r.refs == 0
	if last && !r.ended {
		s.retire(r)
	}
	s.mu.Unlock()
	if last {
		r.cancel()
		<-r.done
	}
}

// retire makes newcomers begin anew. It needs mu.
func (s *shared[T]) retire(r *run[T]) {
	if s.current == r {
		s.current = nil
	}
}

// execute subscribes to o, after the run before has ended.
func (s *shared[T]) execute(ctx context.Context, r *run[T], before <-chan struct{}) {
	defer close(r.done)
	if before != nil {
		<-before
	}
	err := errGoexit // until o returns
	defer func() { s.end(r, err) }()
	err = s.o(ctx, func(v T) bool {
		return r.subject.Update(ctx, func(emit func(T)) {
			r.history.add(v)
			emit(v)
		}) == nil
	})
}

// end ends the subscriptions to a run as o has ended.
func (s *shared[T]) end(r *run[T], err error) {
	s.mu.Lock()
	r.ended = true
	if !s.opts.keeps(err) {
		s.retire(r)
	}
	s.mu.Unlock()
	r.subject.Close(err)
	r.cancel()
}
