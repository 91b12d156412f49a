package stream

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
)

// A subscription is one subscriber's place in a subject. Its methods are for the goroutine that
// subscribed, or need the subject's lock where they say so; the lock guards its fields, but for those
// of the watch over its context.
type subscription[T any] struct {
	// What a publisher looks at when it looks at all subscribers stands together: with many of them,
	// most of the time goes by while memory is fetched.

	next    uint64     // the number of the log's value to take next, if there is no backlog
	reading uint64     // the least number of the log's values that may be being read
	backlog backlog[T] // what waits instead, once the limit was exceeded
	over    bool       // counted in subject.over
	failed  bool       // ends with ErrSlowConsumer after the backlog
	watched bool       // the subscriber's context is watched
	policy  Policy[T]

	subject *Subject[T]
	wake    chan struct{} // gets a token when there may be something to take
	bed     uint64        // its number in subject.asleep plus 1, or 0
	index   int           // in subject.subs, or gone
	prefix  []T

	unwatch    func() bool    // ends what watch began, if that has not come to signal yet
	signalling sync.WaitGroup // else this ends when it has

	hand                          int // values taken and not yet booked as delivered
	passed                        int // those of them that were passed to yield, as run knows without the lock
	delivered, dropped, coalesced uint64
}

// gone is the index of a subscription that has left.
const gone = -1

// maxBatch is the most values a subscriber takes at once: enough to make the lock's share in the cost
// of a value small, and so few that the policies of slow subscribers keep their sense.
const maxBatch = 64

// run passes everything to yield until the end, which it returns.
func (sub *subscription[T]) run(ctx context.Context, yield func(T) bool) error {
	batch := sub.prefix
	sub.prefix = nil
	for {
		for i, v := range batch {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			sub.passed = i + 1
			if !yield(v) {
				return nil
			}
		}
		var ended bool
		var err error
		if batch, ended, err = sub.take(); ended {
			return cmp.Or(context.Cause(ctx), err)
		}
		if len(batch) > 0 {
			continue
		}
		// Not a select from ctx.Done() too: subscribers that share a context would all queue up there,
		// and each that wakes would have to leave the queue from between its neighbours.
		if !sub.watched {
			sub.watch(ctx)
		}
		if <-sub.wake; ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// watch has the end of ctx wake the subscriber, in the same way as the subject does, until it leaves.
func (sub *subscription[T]) watch(ctx context.Context) {
	sub.watched = true
	if ctx.Done() == nil {
		return
	}
	sub.signalling.Add(1)
	sub.unwatch = context.AfterFunc(ctx, func() {
		defer sub.signalling.Done()
		signal(sub.wake)
	})
}

// take books the batch before as delivered and returns the next one, which is valid until the
// next call. If there is none yet, wake gets a token when it is worth calling again; if there
// never will be, the subscription has ended with err.
func (sub *subscription[T]) take() (batch []T, ended bool, err error) {
	s := sub.subject
	s.mu.Lock()
	s.asleep.arrived(sub)
	batch, ended, err = sub.takeLocked()
	other := s.asleep.next()
	s.mu.Unlock()
	if other != nil {
		signal(other)
	}
	return batch, ended, err
}

func (sub *subscription[T]) takeLocked() (batch []T, ended bool, err error) {
	sub.delivered += uint64(sub.hand)
	sub.passed = 0
	if sub.backlog != nil {
		batch = sub.takeBacklog()
	} else {
		batch = sub.takeLog()
	}
	sub.hand = len(batch)
	switch {
	case len(batch) > 0:
		return batch, false, nil
	case sub.failed:
		return nil, true, ErrSlowConsumer
	case sub.subject.closed:
		return nil, true, sub.subject.err
	}
	sub.subject.asleep.add(sub)
	sub.subject.tidy()
	return nil, false, nil
}

func (sub *subscription[T]) takeLog() []T {
	log := &sub.subject.log
	if sub.policy.rule == dropOldest {
		sub.dropOldest()
	}
	batch := log.batch(sub.next)
	sub.reading = math.MaxUint64
	if len(batch) > 0 {
		sub.reading = sub.next
	}
	sub.next += uint64(len(batch))
	if sub.over && sub.waits() <= sub.policy.limit {
		sub.settle()
	}
	return batch
}

func (sub *subscription[T]) takeBacklog() []T {
	batch := sub.backlog.take(maxBatch)
	sub.reading = math.MaxUint64
	if sub.backlog.len() == 0 && !sub.failed {
		sub.subject.catchUp(sub)
		sub.backlog = nil
		sub.follow()
	}
	return batch
}

// leave ends the subscription, wherever it is.
func (sub *subscription[T]) leave() {
	if sub.unwatch != nil && !sub.unwatch() {
		sub.signalling.Wait()
	}
	s := sub.subject
	s.mu.Lock()
	defer s.unlockAndWake()
	s.asleep.arrived(sub)
	if sub.over {
		sub.settle()
	}
	last := sub.stats()
	last.Lag = 0
	last.Delivered += uint64(sub.passed)
	sub.delivered, sub.dropped, sub.coalesced, sub.hand = last.Delivered, last.Dropped, last.Coalesced, 0
	s.departed.add(last)
	sub.policy.meter.remove(sub, last)
	s.remove(sub)
}

// adopt gives a subscription that nobody had taken the policy of who takes it now. What it has dropped
// until then was nobody's.
func (sub *subscription[T]) adopt(p Policy[T]) {
	s := sub.subject
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.dropOldest()
	sub.policy, sub.dropped = p.normal(), 0
	s.due = min(s.due, sub.due())
	p.meter.add(sub)
}

// The following need the subject's lock.

// follow makes the log's end the subscription's next value.
func (sub *subscription[T]) follow() {
	s := sub.subject
	sub.next = s.log.end()
	s.due = min(s.due, sub.due())
}

// due returns the log's end at which the subscription exceeds its limit. DropOldest need not be
// exact, since take drops what is too much; giving it time spares publishing the looking.
func (sub *subscription[T]) due() uint64 {
	limit := uint64(sub.policy.limit)
	if sub.policy.rule == dropOldest {
		limit += min(max(limit, minBlock), maxBlock)
	}
	return sub.next + limit + 1
}

// exceed applies the policy when more values wait than the limit allows.
func (sub *subscription[T]) exceed() {
	s, limit := sub.subject, sub.policy.limit
	switch sub.policy.rule {
	case block:
		sub.over = true
		s.over++
		return
	case dropOldest:
		sub.dropOldest()
		return
	}
	waiting := s.log.since(sub.next)
	if sub.policy.rule == coalesce {
		sub.backlog = sub.policy.coalescer(2 * len(waiting)) // more will come
	} else {
		sub.backlog = &shelf[T]{values: slices.Clone(waiting[:limit]), room: limit}
		waiting = waiting[limit:]
	}
	if sub.policy.rule == failSlow {
		sub.failed = true
	} else {
		s.behind = append(s.behind, sub)
	}
	sub.pushAll(waiting)
}

// pushAll adds values to the backlog. If the policy calls a function that panics, or that calls
// runtime.Goexit, that value and the rest wait as they are.
func (sub *subscription[T]) pushAll(values []T) {
	done := 0
	defer func() {
		for _, v := range values[done:] {
			sub.backlog.keep(v)
		}
	}()
	for ; done < len(values); done++ {
		sub.push(values[done])
	}
}

// settle is the opposite of exceed, for Block.
func (sub *subscription[T]) settle() {
	s := sub.subject
	sub.over = false
	s.over--
	s.due = min(s.due, sub.due())
	s.admit()
}

func (sub *subscription[T]) dropOldest() {
	if n := sub.waits() - sub.policy.limit; n > 0 {
		sub.dropped += uint64(n)
		sub.next += uint64(n)
	}
}

func (sub *subscription[T]) push(v T) {
	dropped, coalesced := sub.backlog.push(v)
	sub.dropped += dropped
	sub.coalesced += coalesced
}

// waits returns the number of values that wait.
func (sub *subscription[T]) waits() int {
	if sub.backlog != nil {
		return sub.backlog.len()
	}
	return int(sub.subject.log.end() - sub.next)
}

func (sub *subscription[T]) stats() SubscriptionStats {
	waits, dropped := 0, sub.dropped
	if sub.index != gone {
		waits = sub.waits()
	}
	if n := waits - sub.policy.limit; n > 0 && sub.policy.rule == dropOldest {
		waits, dropped = waits-n, dropped+uint64(n)
	}
	return SubscriptionStats{
		Policy:    sub.policy.String(),
		Lag:       waits + sub.hand,
		Delivered: sub.delivered,
		Dropped:   dropped,
		Coalesced: sub.coalesced,
	}
}
