package stream

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
	// entries are the waiting values in order, with holes where a value was merged away. The
	// entry at index i has the number first+i, by which index finds it.
	entries []entry[T, K]
	first   int
	holes   int
	index   map[K]int
	batch   []T
}

type entry[T any, K comparable] struct {
	value T
	key   K
	live  bool
}

// minHoles keeps a short backlog from being compacted all the time.
const minHoles = 32

func newCoalescer[T any, K comparable](key func(T) K, merge func(older, newer T) (T, Place)) *coalescer[T, K] {
	return &coalescer[T, K]{key: key, merge: merge, index: make(map[K]int)}
}

func (c *coalescer[T, K]) push(v T) (dropped, coalesced uint64) {
	k := c.key(v)
	number, waiting := c.index[k]
	if !waiting {
		c.append(k, v)
		return 0, 0
	}
	older := &c.entries[number-c.first]
	merged, place := c.merge(older.value, v)
	if place == AtOlder {
		older.value = merged
		return 0, 1
	}
	*older = entry[T, K]{}
	c.holes++
	delete(c.index, k)
	if place == AtNewer {
		c.append(k, merged)
		coalesced = 1
	} else {
		coalesced = 2
	}
	if c.holes > max(minHoles, len(c.entries)/2) {
		c.compact()
	}
	return 0, coalesced
}

func (c *coalescer[T, K]) append(k K, v T) {
	c.index[k] = c.first + len(c.entries)
	c.entries = append(c.entries, entry[T, K]{value: v, key: k, live: true})
}

// compact closes the holes. It runs when they are the majority, so that its cost is shared by the
// values that were merged away.
func (c *coalescer[T, K]) compact() {
	kept := make([]entry[T, K], 0, len(c.entries)-c.holes)
	for _, e := range c.entries {
		if e.live {
			c.index[e.key] = c.first + len(kept)
			kept = append(kept, e)
		}
	}
	c.entries, c.holes = kept, 0
}

func (c *coalescer[T, K]) take(max int) []T {
	clear(c.batch)
	c.batch = c.batch[:0]
	for len(c.entries) > 0 && len(c.batch) < max {
		e := c.entries[0]
		if e.live {
			c.batch = append(c.batch, e.value)
			delete(c.index, e.key)
		} else {
			c.holes--
		}
		c.entries[0] = entry[T, K]{}
		c.entries = c.entries[1:]
		c.first++
	}
	return c.batch
}

func (c *coalescer[T, K]) len() int { return len(c.entries) - c.holes }
