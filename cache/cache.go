package cache

import (
	"hash/maphash"
	"sync"
)

// A Cache loads a configuration from a Store and saves it there. It is safe for concurrent use. New makes one.
// A nil Cache loads and saves nothing.
type Cache struct {
	store  Store
	report func(Event)
	turn   turn
	seed   maphash.Seed // of marks

	mu       sync.Mutex
	stats    Stats
	stored   mark   // of what the store holds; zero if that is unknown
	unusable bool   // the last load found data that can't be used, and the store still holds it
	version  uint64 // counts the calls that change what the store holds, when they begin
}

// New returns a Cache over store, which must not be nil. It calls report, unless that is nil, for each event, on
// the goroutine that called Save or subscribed to Load; report must return quickly.
func New(store Store, report func(Event)) *Cache {
	if store == nil {
		panic("cache: New without a Store")
	}
	if report == nil {
		report = func(Event) {}
	}
	return &Cache{store: store, report: report, turn: make(turn, 1), seed: maphash.MakeSeed()}
}

// Stats returns what has happened so far.
func (c *Cache) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// tell counts and reports e.
func (c *Cache) tell(e Event) {
	c.mu.Lock()
	c.stats.add(e)
	c.mu.Unlock()
	c.report(e)
}
