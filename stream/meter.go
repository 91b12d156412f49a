package stream

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// A Meter collects the statistics of every subscriber whose Policy it is part of, wherever that policy
// is used. Share, Replay, Buffer and GroupBy have no statistics of their own: a Meter shows them. The
// zero Meter is ready to use, and its methods may be called concurrently. A Meter must not be copied
// after its first use.
//
//	var meter stream.Meter
//	shared := stream.Share(o, stream.DropOldest[int](16).Metered(&meter))
//
// Concurrency: the lock of a subject is taken before that of a meter, never the other way round.
type Meter struct {
	mu       sync.Mutex
	current  map[measured]struct{}
	departed SubscriptionStats
}

// A measured is a subscription.
type measured interface{ measure() SubscriptionStats }

// Metered returns the policy with m, which collects the statistics of the subscribers that have this
// policy. m may be part of several policies.
func (p Policy[T]) Metered(m *Meter) Policy[T] {
	p.meter = m
	return p
}

// Subscribers describes the current subscribers, in no particular order.
func (m *Meter) Subscribers() []SubscriptionStats {
	current, _ := m.snapshot()
	stats := make([]SubscriptionStats, 0, len(current))
	for _, sub := range current {
		stats = append(stats, sub.measure())
	}
	return stats
}

// Totals adds up the current subscribers and those that have left, as Subject.Totals does.
func (m *Meter) Totals() SubscriptionStats {
	current, total := m.snapshot()
	for _, sub := range current {
		total.add(sub.measure())
	}
	return total
}

func (m *Meter) snapshot() (current []measured, departed SubscriptionStats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.current)), m.departed
}

// add takes sub in. A nil meter counts nothing.
func (m *Meter) add(sub measured) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == nil {
		m.current = make(map[measured]struct{})
	}
	m.current[sub] = struct{}{}
}

// remove undoes add for a subscription that has left.
func (m *Meter) remove(sub measured, last SubscriptionStats) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.current, sub)
	m.departed.add(last)
}

func (sub *subscription[T]) measure() SubscriptionStats {
	sub.subject.mu.Lock()
	defer sub.subject.mu.Unlock()
	return sub.stats()
}

// Format implements fmt.Formatter for every verb, as Subject's does.
func (m *Meter) Format(f fmt.State, _ rune) {
	current, _ := m.snapshot()
	_, _ = fmt.Fprintf(f, "stream.Meter(%d subscribers)", len(current))
}
