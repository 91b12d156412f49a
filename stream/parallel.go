package stream

import (
	"cmp"
	"context"
	"math"
	"sync"
	"sync/atomic"
)

// MapParallel is MapErr with n calls of f at a time, each on one of up to n goroutines. The results
// keep the order of o, which runs on a goroutine of its own and at most 2n values ahead of the
// subscriber. The first error, in this order, ends it: when a call fails, o is stopped, and so are the
// calls for later values, whose context is cancelled; the results of earlier ones still come. A value
// is handed to another goroutine and back, which takes time (BenchmarkMapParallel); MapParallel is of
// use for an f that takes longer. MapParallel panics if n is less than 1.
//
//	o     ──1──2──3───────|
//	2, f  ────────1·2·─3·─|   (1· takes longest, and 3 waits for one of the two)
func MapParallel[T, U any](o Observable[T], n int, f func(context.Context, T) (U, error)) Observable[U] {
	need(o != nil && f != nil, "MapParallel")
	atLeastOne(n, "MapParallel")
	return func(ctx context.Context, yield func(U) bool) error {
		p := newParallel(ctx, n, f)
		defer p.wait.Wait()
		defer p.cancel()
		p.wait.Go(func() { p.read(o) })
		return p.deliver(ctx, yield)
	}
}

// A parallel is one subscription to a MapParallel.
//
// Concurrency: a job belongs to one goroutine at a time: the reader makes it and sends it to a worker,
// whose token in done hands it to the subscriber. The queue, which has the jobs in order and those that
// are free to be used again, has a lock of its own. Workers are hired when all are busy. A call that
// fails lowers failed and cancels the workers that are busy with later jobs: either it sees their
// number, or they see failed before they begin.
type parallel[T, U any] struct {
	ctx     context.Context
	cancel  context.CancelFunc
	reading context.Context // of o; also ends when a call has failed
	stop    context.CancelFunc
	wait    sync.WaitGroup
	f       func(context.Context, T) (U, error)
	n       int
	todo    chan *job[T, U] // closed by the reader
	queue   jobs[T, U]
	idle    atomic.Int64 // workers that are free, less the jobs in todo
	failed  atomic.Int64 // the number of the first job that has failed

	mu      sync.Mutex
	workers []*worker // only the reader adds to them; guarded by mu
}

// A worker runs one job after the other.
type worker struct {
	ctx    context.Context
	cancel context.CancelFunc
	number atomic.Int64 // of its latest job
}

func newParallel[T, U any](ctx context.Context, n int, f func(context.Context, T) (U, error)) *parallel[T, U] {
	p := &parallel[T, U]{f: f, n: n, todo: make(chan *job[T, U], min(n, prefetch))}
	p.queue = jobs[T, U]{ahead: 2 * uint64(n), room: make(chan struct{}, 1), more: make(chan struct{}, 1)}
	p.failed.Store(math.MaxInt64)
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.reading, p.stop = context.WithCancel(p.ctx)
	return p
}

// read makes jobs of the values of o.
func (p *parallel[T, U]) read(o Observable[T]) {
	defer close(p.todo)
	err := errGoexit // until o returns
	defer func() { p.queue.close(err) }()
	err = o(p.reading, p.begin)
}

// begin is the yield of o.
func (p *parallel[T, U]) begin(v T) bool {
	j := p.queue.add(p.reading, v)
	if j == nil {
		return false
	}
	if p.idle.Add(-1) < 0 && len(p.workers) < p.n {
		p.hire()
	}
	select {
	case p.todo <- j:
		return true
	case <-p.reading.Done():
		return false
	}
}

func (p *parallel[T, U]) hire() {
	w := new(worker)
	w.ctx, w.cancel = context.WithCancel(p.ctx)
	p.mu.Lock()
	p.workers = append(p.workers, w)
	p.mu.Unlock()
	p.idle.Add(1)
	p.wait.Go(func() {
		defer w.cancel()
		for j := range p.todo {
			p.do(w, j)
			p.idle.Add(1)
		}
	})
}

// do calls f, unless the result is not wanted any more.
func (p *parallel[T, U]) do(w *worker, j *job[T, U]) {
	defer func() {
		if j.err != nil {
			p.fail(j.number)
		}
		j.done <- struct{}{}
	}()
	w.number.Store(j.number)
	if p.ctx.Err() == nil && j.number < p.failed.Load() {
		j.err = errGoexit // until f returns
		j.out, j.err = p.f(w.ctx, j.in)
	}
}

// fail stops everything that comes after a job that has failed.
func (p *parallel[T, U]) fail(number int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed.Store(min(number, p.failed.Load()))
	p.stop()
	for _, w := range p.workers {
		if w.number.Load() > number {
			w.cancel()
		}
	}
}

// deliver yields the results in order.
func (p *parallel[T, U]) deliver(ctx context.Context, yield func(U) bool) error {
	for {
		j, err := p.queue.first(ctx)
		if j == nil {
			return cmp.Or(context.Cause(ctx), err)
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
		p.queue.free()
		if !yield(out) {
			return nil
		}
	}
}
