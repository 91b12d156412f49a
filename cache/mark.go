package cache

import "hash/maphash"

// A mark tells saved configurations apart. It is made of hashes because it outlives the configuration, and must
// not hold a key.
type mark struct{ snapshot, key uint64 }

// markOf returns the mark of a snapshot sealed under key.
func (c *Cache) markOf(snapshot []byte, key string) mark {
	return mark{maphash.Bytes(c.seed, snapshot), maphash.String(c.seed, key)}
}

// holds reports whether the store is known to hold what m marks.
func (c *Cache) holds(m mark) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored == m
}

// holdsUnder reports whether the store is known to hold a configuration sealed under key.
func (c *Cache) holdsUnder(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored.key == maphash.String(c.seed, key)
}

// saving records that a save begins: until saved is called, what the store holds is unknown.
func (c *Cache) saving() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored, c.touched = mark{}, true
}

// saved records what the store holds.
func (c *Cache) saved(m mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = m
}

// loaded records what the store held when it was loaded, unless that may have been replaced since.
func (c *Cache) loaded(m mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.touched {
		c.stored = m
	}
}
