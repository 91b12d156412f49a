package stream

//lint:file-ignore U1000 The check does not see that a generic type implements a generic interface.

// A backlog holds the waiting values of one subscriber that has exceeded its limit and can't be
// served from the subject's log any more. The subject's lock guards it.
type backlog[T any] interface {
	// push adds a value, and returns how many values were dropped or merged away for it.
	push(T) (dropped, coalesced uint64)
	// take removes the oldest values, at most max. They are valid until the next take.
	take(max int) []T
	len() int
}

// A shelf is a backlog with room for a fixed number of values; it drops what comes when it is full.
type shelf[T any] struct {
	values []T
	room   int
}

func (s *shelf[T]) push(v T) (dropped, coalesced uint64) {
	if len(s.values) >= s.room {
		return 1, 0
	}
	s.values = append(s.values, v)
	return 0, 0
}

// take only moves the slice's start, and append never writes before it, so that a batch stays
// intact for as long as it is used.
func (s *shelf[T]) take(max int) []T {
	n := min(max, len(s.values))
	batch := s.values[:n:n]
	s.values = s.values[n:]
	return batch
}

func (s *shelf[T]) len() int { return len(s.values) }

// A coalescer is a backlog that has at most one value of each key.
type coalescer[T any, K comparable] struct {
	key   func(T) K
	merge func(older, newer T) (T, Place)
	// entries[head:] are the waiting values in order, with holes where one was merged away. index
	// has their places.
	entries []entry[T, K]
	head    int
	dead    int // entries that are holes or before head
	index   map[K]int
	batch   []T
}

type entry[T any, K comparable] struct {
	value T
	key   K
	live  bool
}

// minDead keeps a short backlog from being compacted all the time.
const minDead = 32

func newCoalescer[T any, K comparable](
	size int, key func(T) K, merge func(older, newer T) (T, Place),
) *coalescer[T, K] {
	return &coalescer[T, K]{
		key: key, merge: merge, entries: make([]entry[T, K], 0, size), index: make(map[K]int, size),
	}
}

func (c *coalescer[T, K]) push(v T) (dropped, coalesced uint64) {
	k := c.key(v)
	i, waiting := c.index[k]
	if !waiting {
		c.append(k, v)
		return 0, 0
	}
	merged, place := c.merge(c.entries[i].value, v)
	if place == AtOlder {
		c.entries[i].value = merged
		return 0, 1
	}
	c.kill(i)
	if place == AtNewer {
		c.append(k, merged)
		return 0, 1
	}
	return 0, 2
}

func (c *coalescer[T, K]) append(k K, v T) {
	if c.dead > max(minDead, len(c.entries)/2) {
		c.compact()
	}
	c.index[k] = len(c.entries)
	c.entries = append(c.entries, entry[T, K]{value: v, key: k, live: true})
}

func (c *coalescer[T, K]) kill(i int) {
	delete(c.index, c.entries[i].key)
	c.entries[i] = entry[T, K]{}
	c.dead++
}

// compact removes the dead entries. It runs when they are the majority, so that its cost is shared
// by the values that they have been.
func (c *coalescer[T, K]) compact() {
	n := 0
	for _, e := range c.entries[c.head:] {
		if e.live {
			c.index[e.key] = n
			c.entries[n] = e
			n++
		}
	}
	clear(c.entries[n:])
	c.entries, c.head, c.dead = c.entries[:n], 0, 0
}

func (c *coalescer[T, K]) take(max int) []T {
	clear(c.batch)
	c.batch = c.batch[:0]
	for ; c.head < len(c.entries) && len(c.batch) < max; c.head++ {
		if e := &c.entries[c.head]; e.live {
			c.batch = append(c.batch, e.value)
			c.kill(c.head)
		}
	}
	return c.batch
}

func (c *coalescer[T, K]) len() int { return len(c.entries) - c.dead }
