package stream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// ErrClosed is what publishing to a closed Subject returns.
var ErrClosed = errors.New("stream: subject closed")

// A Subject multicasts: a value that is published to it goes to all who are subscribed at that time.
// Each subscriber has a Policy for when it falls behind: unless that is Block, a subscriber that is
// slow or stuck, or that panics, delays nobody.
//
// All methods may be called concurrently, also by subscribers from within yield. Only one of them
// waits: Publish (and Update) for subscribers with the policy Block. A subscriber that publishes to
// its own subject must therefore not have that policy, or else it may come to wait for itself.
//
// Concurrency: one lock guards everything. It is held while values are appended to the log and
// while a subscriber takes its next batch, never while yield runs or anybody waits.
//
// The zero Subject is ready to use. A Subject must not be copied after its first use.
type Subject[T any] struct {
	// emit is the method publish, bound once so that Update need not allocate.
	emit func(T)
	// room gets a token when publishers that wait may look again. Both are made by the first update.
	room chan struct{}

	mu     sync.Mutex
	closed bool
	err    error // the result of all subscriptions, once closed
	log    log[T]
	// due is a lower bound of the log's end at which a subscriber exceeds its limit; only then does
	// publishing have to look at the subscribers.
	due uint64

	subs    []*subscription[T]
	behind  []*subscription[T] // those whose backlog takes new values
	asleep  sleepers[T]
	fresh   uint64 // how many values were published for which nobody was woken yet
	hold    bool   // nobody is to be woken until Release, unless maxHeld values are fresh
	over    int    // subscribers with the policy Block that exceed their limit
	blocked int    // publishers that wait for over to become 0

	departed SubscriptionStats // the sum of those that have left, without their lag
}

// NewSubject returns a subject without subscribers.
func NewSubject[T any]() *Subject[T] { return new(Subject[T]) }

// Publish passes values to all current subscribers, and then waits until no subscriber with the
// policy Block has more values waiting than its limit.
//
// It returns ErrClosed if the subject is closed, and context.Cause(ctx) if ctx has ended, before
// anything was published or while it waited; being already published, the values are delivered
// all the same in the latter case.
func (s *Subject[T]) Publish(ctx context.Context, values ...T) error {
	return s.Update(ctx, func(emit func(T)) {
		for _, v := range values {
			emit(v)
		}
	})
}

// Update is Publish for a subject that has a state from which the prefixes of Observe are taken: f
// changes the state and emits the changes, while the subject is locked, so that a newcomer sees
// each change either in its prefix or as a value. It waits and returns as Publish does; f is not
// called if the subject is closed or ctx has ended at the start.
//
// f must be quick, must not call methods of the subject, and must not use emit after it returned. If
// f panics or calls runtime.Goexit, what it has emitted is published.
func (s *Subject[T]) Update(ctx context.Context, f func(emit func(T))) error {
	need(f != nil, "Subject.Update")
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	wait, err := s.update(f)
	if wait {
		return s.waitForRoom(ctx)
	}
	return err
}

func (s *Subject[T]) update(f func(emit func(T))) (wait bool, err error) {
	s.mu.Lock()
	defer s.unlockAndWake()
	if s.closed {
		return false, ErrClosed
	}
	if s.emit == nil {
		s.emit, s.room = s.publish, make(chan struct{}, 1)
	}
	f(s.emit)
	if s.over > 0 {
		s.blocked++
	}
	return s.over > 0, nil
}

// maxHeld is how many values Hold holds back. In a long burst the subscribers should start before so many values wait
// that the publisher has to wait, too.
const maxHeld = 512

// Hold leaves subscribers that wait for values asleep until Release, or until 512 values have been published. A
// publisher that gets its values in bursts, and knows when a burst ends, calls Hold before it and
// Release after it: to wake a subscriber for each value costs more than the value does. Subscribers
// that are awake take values as always. Policies apply to those asleep, too, and a publisher that has
// to wait for one wakes all. Hold does not nest.
func (s *Subject[T]) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = true
}

// Release wakes the subscribers that Hold has left asleep. Without Hold it does nothing.
func (s *Subject[T]) Release() {
	s.mu.Lock()
	s.hold = false
	s.unlockAndWake()
}

// View calls f while the subject is locked: f sees the state that Update changes, consistently.
// f must be quick and must not call methods of the subject.
func (s *Subject[T]) View(f func()) {
	need(f != nil, "Subject.View")
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Close ends every subscription after the values that wait for it: with nil it completes, else it
// fails with err. Observables of the subject that are subscribed to later end at once in the same
// way, after their prefix. Publishers that wait return. Only the first call counts; Close does not
// wait for the subscribers.
func (s *Subject[T]) Close(err error) {
	s.closeIf(err, func() bool { return true })
}

// closeIf is Close if cond, which is called while the subject is locked, is true. It returns that.
func (s *Subject[T]) closeIf(err error, cond func() bool) bool {
	s.mu.Lock()
	defer s.unlockAndWake()
	if !cond() {
		return false
	}
	if !s.closed {
		s.closed, s.err, s.hold = true, err, false
		s.fresh++ // the end
		s.admit()
	}
	return true
}

// Observe returns the observable of what is published from the subscription on, after the values
// of prefix, which may be nil. prefix is called while the subject is locked, in the same instant as
// the subscription begins: no value of the subject is missing between the two, and none is in
// both if the state that prefix reads is changed by Update only. It must be quick, must not call
// methods of the subject, and must return a slice that is not modified later.
func (s *Subject[T]) Observe(p Policy[T], prefix func() []T) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		sub := s.join(p, prefix)
		defer sub.leave()
		return sub.run(ctx, yield)
	}
}

// Format implements fmt.Formatter for every verb, because the values inside are neither for other eyes
// nor for reading without the lock. It tells the number of subscribers, unless the subject is locked.
func (s *Subject[T]) Format(f fmt.State, _ rune) { s.format(f, "Subject") }

// format does not wait for the lock, which a function of Update that prints the subject holds itself.
func (s *Subject[T]) format(f fmt.State, name string) {
	if !s.mu.TryLock() {
		_, _ = fmt.Fprintf(f, "stream.%s", name)
		return
	}
	n := len(s.subs)
	s.mu.Unlock()
	_, _ = fmt.Fprintf(f, "stream.%s(%d subscribers)", name, n)
}

// SubscriptionStats describes one subscriber of a Subject.
type SubscriptionStats struct {
	// Policy is the name of its policy.
	Policy string
	// Lag is the number of values that wait for it, or that it has taken but not finished with:
	// what it has delivered is booked batch by batch.
	Lag int
	// Delivered, Dropped and Coalesced are the numbers of values that were passed to it, dropped
	// by its policy, and merged away by its policy.
	Delivered, Dropped, Coalesced uint64
}

// Subscribers describes the current subscribers, in no particular order.
func (s *Subject[T]) Subscribers() []SubscriptionStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := make([]SubscriptionStats, 0, len(s.subs))
	for _, sub := range s.subs {
		stats = append(stats, sub.stats())
	}
	return stats
}

// Totals adds up the statistics of the current subscribers and of those that have left: Delivered,
// Dropped and Coalesced never decrease. Lag is that of the current ones, and Policy is empty.
func (s *Subject[T]) Totals() SubscriptionStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := s.departed
	for _, sub := range s.subs {
		total.add(sub.stats())
	}
	return total
}

func (s *SubscriptionStats) add(other SubscriptionStats) {
	s.Lag += other.Lag
	s.Delivered += other.Delivered
	s.Dropped += other.Dropped
	s.Coalesced += other.Coalesced
}

// publish appends v for everybody. Update is the only way to it.
func (s *Subject[T]) publish(v T) {
	if len(s.subs) == 0 {
		return
	}
	if s.log.full() {
		s.turnLog()
	}
	s.log.values = append(s.log.values, v)
	s.fresh++
	if len(s.behind) > 0 {
		s.pushBehind(v, 0)
	}
	if s.log.end() >= s.due {
		s.due = math.MaxUint64
		s.findLate(0)
	}
}

// pushBehind adds v to the backlogs from number i on. If a policy calls a function that panics, or
// that calls runtime.Goexit, v waits there as it is, and pushBehind goes on with the next backlog.
func (s *Subject[T]) pushBehind(v T, i int) {
	defer func() {
		if i < len(s.behind) {
			s.behind[i].backlog.keep(v)
			s.pushBehind(v, i+1)
		}
	}()
	for ; i < len(s.behind); i++ {
		s.behind[i].push(v)
	}
}

// turnLog makes room in the log.
func (s *Subject[T]) turnLog() {
	next, read := s.log.end(), s.log.end()
	for _, sub := range s.subs {
		if sub.backlog == nil {
			next = min(next, sub.next)
		}
		read = min(read, sub.reading)
	}
	s.log.turn(next, read)
}

// findLate applies the policies of the subscribers from number i on that exceed their limit, and
// lowers due to the least of the others. It goes on as pushBehind does.
func (s *Subject[T]) findLate(i int) {
	defer func() {
		if i < len(s.subs) {
			s.findLate(i + 1)
		}
	}()
	for ; i < len(s.subs); i++ {
		sub := s.subs[i]
		if sub.backlog != nil || sub.over {
			continue
		}
		if s.log.end() >= sub.due() {
			sub.exceed()
		}
		if sub.backlog == nil && !sub.over {
			s.due = min(s.due, sub.due())
		}
	}
}

// unlockAndWake unlocks the subject and then wakes those who wait for what was published, so that
// they don't run into the lock.
func (s *Subject[T]) unlockAndWake() {
	// Whom a publisher waits for must be awake, and nobody should wait for both.
	if s.fresh > 0 && (!s.hold || s.fresh >= maxHeld || s.blocked > 0) {
		s.fresh = 0
		s.asleep.rouse()
	}
	wake := s.asleep.next()
	if wake == nil {
		s.mu.Unlock()
		return
	}
	woken := make([]chan<- struct{}, 0, maxUnderWay)
	for ; wake != nil; wake = s.asleep.next() {
		woken = append(woken, wake)
	}
	s.mu.Unlock()
	for _, wake := range woken {
		signal(wake)
	}
}

// waitForRoom waits until no subscriber exceeds its limit. One token wakes one publisher, who
// passes it on. The caller has been counted as blocked.
func (s *Subject[T]) waitForRoom(ctx context.Context) error {
	for {
		select {
		case <-s.room:
		case <-ctx.Done():
		}
		s.mu.Lock()
		free := s.over == 0 || s.closed
		if free || ctx.Err() != nil {
			s.blocked--
			s.admit()
			s.mu.Unlock()
			if free {
				return nil
			}
			return context.Cause(ctx)
		}
		s.mu.Unlock()
	}
}

// admit lets a waiting publisher look again.
func (s *Subject[T]) admit() {
	if s.blocked == 0 || s.over > 0 && !s.closed {
		return
	}
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// join adds a subscription. Whoever calls it must call leave.
func (s *Subject[T]) join(p Policy[T], prefix func() []T) *subscription[T] {
	sub := &subscription[T]{subject: s, policy: p.normal(), wake: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if prefix != nil { // before anything has changed, since it may panic
		sub.prefix = prefix()
	}
	sub.hand = len(sub.prefix)
	sub.follow()
	sub.reading = math.MaxUint64
	sub.index = len(s.subs)
	s.subs = append(s.subs, sub)
	p.meter.add(sub)
	return sub
}

// remove undoes join.
func (s *Subject[T]) remove(sub *subscription[T]) {
	last := len(s.subs) - 1
	s.subs[sub.index] = s.subs[last]
	s.subs[sub.index].index = sub.index
	s.subs[last] = nil
	s.subs = s.subs[:last]
	sub.index = gone
	if sub.backlog != nil {
		s.catchUp(sub)
	}
	s.tidy()
}

// tidy empties the log if everybody has taken and finished with everything: nobody is awake, and
// nobody sleeps on values because of Hold.
func (s *Subject[T]) tidy() {
	if len(s.subs) == 0 {
		s.fresh = 0
	}
	if n, due := s.asleep.asleep(); n == len(s.subs) && !due && s.fresh == 0 {
		s.log.reset()
	}
}

// catchUp removes sub from those that are behind.
func (s *Subject[T]) catchUp(sub *subscription[T]) {
	if i := slices.Index(s.behind, sub); i >= 0 {
		last := len(s.behind) - 1
		s.behind[i], s.behind[last] = s.behind[last], nil
		s.behind = s.behind[:last]
	}
}
