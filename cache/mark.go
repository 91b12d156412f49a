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

// holdsUnusable reports whether the store holds data that can't be used, as far as is known.
func (c *Cache) holdsUnusable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unusable
}

// changing records that a call begins that changes what the store holds. Until saved is called, that is unknown. The
// caller has the turn.
func (c *Cache) changing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored, c.unusable = mark{}, false
	c.version++
}

// saved records what the store holds.
func (c *Cache) saved(m mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = m
}

// present returns the version to give to found.
func (c *Cache) present() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

// found records what a load has found that began at a version, unless that may have changed since. A zero mark
// stands for what is unknown.
func (c *Cache) found(version uint64, m mark, unusable bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == version {
		c.stored, c.unusable = m, unusable
	}
}
