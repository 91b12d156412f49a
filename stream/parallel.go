package stream

import (
	"cmp"
	"context"
	"sync"
)

// MapParallel is MapErr with n calls of f at a time, each on one of n goroutines. The results keep
// the order of o, which runs on a goroutine of its own and at most 2n values ahead of the
// subscriber. The first error, in this order, ends it; f's context is cancelled when the
// subscription ends. To hand a value over and back costs about half a microsecond: f should take
// longer than that. MapParallel panics if n is less than 1.
//
//	o     ──1──2──3───────|
//	2, f  ────────1·2·─3·─|   (1· takes longest, and 3 waits for one of the two)
func MapParallel[T, U any](o Observable[T], n int, f func(context.Context, T) (U, error)) Observable[U] {
	if n < 1 {
		panic("stream: MapParallel with less than one at a time")
	}
	return func(ctx context.Context, yield func(U) bool) error {
		p := newParallel(ctx, n, f)
		defer p.wait.Wait()
		defer p.cancel()
		p.wait.Go(func() { p.read(o) })
		for range n {
			p.wait.Go(p.work)
		}
		return p.deliver(ctx, yield)
	}
}

// A parallel is one subscription to a MapParallel.
//
// Concurrency: a job belongs to one goroutine at a time and goes from hand to hand over channels:
// free → reader → todo → worker → done → subscriber → free. The reader also notes it in inOrder,
// where the subscriber sees which job is next. As there are no more jobs than these channels have
// room, only waiting for a free one, for a value, or for f takes time, and each obeys the context.
type parallel[T, U any] struct {
	ctx     context.Context
	cancel  context.CancelFunc
	wait    sync.WaitGroup
	f       func(context.Context, T) (U, error)
	free    chan *job[T, U]
	todo    chan *job[T, U] // closed by the reader
	inOrder chan *job[T, U] // closed by the reader, after it has set err
	err     error
}

type job[T, U any] struct {
	in   T
	out  U
	err  error
	done chan struct{} // gets a token when out and err are there
}

func newParallel[T, U any](ctx context.Context, n int, f func(context.Context, T) (U, error)) *parallel[T, U] {
	jobs := 2 * n
	p := &parallel[T, U]{
		f:       f,
		free:    make(chan *job[T, U], jobs),
		todo:    make(chan *job[T, U], jobs),
		inOrder: make(chan *job[T, U], jobs),
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	for range jobs {
		p.free <- &job[T, U]{done: make(chan struct{}, 1)}
	}
	return p
}

// read makes jobs of the values of o.
func (p *parallel[T, U]) read(o Observable[T]) {
	defer close(p.todo)
	defer close(p.inOrder)
	p.err = errGoexit // until o returns
	p.err = o(p.ctx, func(v T) bool {
		select {
		case j := <-p.free:
			j.in = v
			p.todo <- j
			p.inOrder <- j
			return true
		case <-p.ctx.Done():
			return false
		}
	})
}

func (p *parallel[T, U]) work() {
	for j := range p.todo {
		p.do(j)
	}
}

func (p *parallel[T, U]) do(j *job[T, U]) {
	defer func() { j.done <- struct{}{} }()
	if p.ctx.Err() == nil {
		j.err = errGoexit // until f returns
		j.out, j.err = p.f(p.ctx, j.in)
	}
}

// deliver yields the results in order.
func (p *parallel[T, U]) deliver(ctx context.Context, yield func(U) bool) error {
	for {
		var j *job[T, U]
		ok := true
		select {
		case j, ok = <-p.inOrder:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !ok {
			return cmp.Or(context.Cause(ctx), p.err)
		}
		select {
		case <-j.done:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if j.err != nil {
			return j.err
		}
		out := j.out
		*j = job[T, U]{done: j.done}
		p.free <- j
		if !yield(out) {
			return nil
		}
	}
}
