package stream

//lint:file-ignore U1000 The check does not see that a generic type implements a generic interface.

// A backlog holds the waiting values of one subscriber that has exceeded its limit and can't be
// served from the subject's log any more. The subject's lock guards it.
type backlog[T any] interface {
	// push adds a value, and returns how many values were dropped or merged away for it. A function of
	// the policy that it calls may not return; then nothing has changed, and keep is called with the value.
	push(T) (dropped, coalesced uint64)
	// keep adds a value that is neither dropped nor merged, and calls no function of the policy.
	keep(T)
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
	s.keep(v)
	return 0, 0
}

func (s *shelf[T]) keep(v T) { s.values = append(s.values, v) }

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
	// values[head:] are the waiting values in order, with holes where one was merged away. index
	// has their places, but for those that are loose.
	values []keyed[T, K]
	head   int
	dead   int // values that are holes or before head
	index  map[K]int
	// merging is the place, counted from 1, of the value that merge has been called with, until it returns.
	merging int
	batch   []T
}

// A keyed is a waiting value with its key, or a hole.
type keyed[T any, K comparable] struct {
	value T
	key   K
	live  bool
	loose bool // nothing is merged with it any more
}

// minDead keeps a short backlog from being compacted all the time.
const minDead = 32

// newCoalescer returns a coalescer with room for size values.
func newCoalescer[T any, K comparable](
	size int, key func(T) K, merge func(older, newer T) (T, Place),
) *coalescer[T, K] {
	return &coalescer[T, K]{
		key: key, merge: merge, values: make([]keyed[T, K], 0, size), index: make(map[K]int, size),
	}
}

// push calls key and merge before it changes anything but merging.
func (c *coalescer[T, K]) push(v T) (dropped, coalesced uint64) {
	k := c.key(v)
	i, waiting := c.index[k]
	if !waiting {
		c.append(keyed[T, K]{value: v, key: k, live: true})
		return 0, 0
	}
	c.merging = i + 1
	merged, place := c.merge(c.values[i].value, v)
	c.merging = 0
	if place == AtOlder {
		c.values[i].value = merged
		return 0, 1
	}
	c.kill(i)
	if place == AtNewer {
		c.append(keyed[T, K]{value: merged, key: k, live: true})
		return 0, 1
	}
	return 0, 2
}

// keep appends a loose value. The one that it was to be merged with, if merge has not returned, becomes
// loose, too: what comes later must not overtake v.
func (c *coalescer[T, K]) keep(v T) {
	if i := c.merging - 1; i >= 0 {
		delete(c.index, c.values[i].key)
		c.values[i].loose = true
		c.merging = 0
	}
	c.append(keyed[T, K]{value: v, live: true, loose: true})
}

func (c *coalescer[T, K]) append(v keyed[T, K]) {
	if c.dead > max(minDead, len(c.values)/2) {
		c.compact()
	}
	if !v.loose {
		c.index[v.key] = len(c.values)
	}
	c.values = append(c.values, v)
}

func (c *coalescer[T, K]) kill(i int) {
	if !c.values[i].loose {
		delete(c.index, c.values[i].key)
	}
	c.values[i] = keyed[T, K]{}
	c.dead++
}

// compact removes the dead values. It runs when they are the majority, so that its cost is shared
// by the values that they have been. Of memory for many more values than there are it keeps none.
func (c *coalescer[T, K]) compact() {
	old, live := c.values[c.head:], c.len()
	if cap(c.values) > 4*(live+minDead) {
		c.values, c.index = make([]keyed[T, K], 0, 2*live), make(map[K]int, live)
	}
	whole := c.values[:cap(c.values)]
	c.values, c.head, c.dead = c.values[:0], 0, 0
	for _, v := range old {
		if v.live {
			c.append(v)
		}
	}
	clear(whole[len(c.values):])
}

func (c *coalescer[T, K]) take(max int) []T {
	clear(c.batch)
	c.batch = c.batch[:0]
	for ; c.head < len(c.values) && len(c.batch) < max; c.head++ {
		if v := &c.values[c.head]; v.live {
			c.batch = append(c.batch, v.value)
			c.kill(c.head)
		}
	}
	return c.batch
}

func (c *coalescer[T, K]) len() int { return len(c.values) - c.dead }
