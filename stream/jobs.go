package stream

import (
	"context"
	"sync"
)

// A job is one call that MapParallel makes.
type job[T, U any] struct {
	number int64 // from 1
	in     T
	out    U
	err    error
	done   chan struct{} // gets a token when out and err are there
	next   *job[T, U]
}

// The jobs of a MapParallel are a queue, in the order of the values.
//
// Concurrency: add and close are for one goroutine, first and free for another; mu guards the links.
// more gets a token when there may be a first one, room when there may be room for another.
type jobs[T, U any] struct {
	more, room chan struct{}
	ahead      uint64 // how many there may be

	mu         sync.Mutex
	head, tail *job[T, U]
	spare      *job[T, U]
	number     int64 // of the latest
	len        uint64
	closed     bool
	err        error
}

// add waits for room and appends a job. It returns nil when ctx ends.
func (q *jobs[T, U]) add(ctx context.Context, v T) *job[T, U] {
	for {
		if j := q.tryAdd(v); j != nil {
			return j
		}
		select {
		case <-q.room:
		case <-ctx.Done():
			return nil
		}
	}
}

func (q *jobs[T, U]) tryAdd(v T) *job[T, U] {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.len == q.ahead {
		return nil
	}
	j := q.spare
	if j != nil {
		q.spare, j.next = j.next, nil
	} else {
		j = &job[T, U]{done: make(chan struct{}, 1)}
	}
	q.number++
	q.len++
	j.number, j.in = q.number, v
	if q.head == nil {
		q.head = j
		signal(q.more)
	} else {
		q.tail.next = j
	}
	q.tail = j
	return j
}

// first waits for the first job. It returns nil at the end, with the error, and when ctx ends.
func (q *jobs[T, U]) first(ctx context.Context) (*job[T, U], error) {
	for {
		q.mu.Lock()
		j, closed, err := q.head, q.closed, q.err
		q.mu.Unlock()
		if j != nil || closed {
			return j, err
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// free removes the first job, which may then be used again.
func (q *jobs[T, U]) free() {
	q.mu.Lock()
	defer q.mu.Unlock()
	j := q.head
	q.head = j.next
	*j = job[T, U]{done: j.done, next: q.spare}
	q.spare = j
	if q.len == q.ahead {
		signal(q.room)
	}
	q.len--
}

// close says that there will be no more.
func (q *jobs[T, U]) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.err = true, err
	signal(q.more)
}
