package diff

import "fmt"

// An Outcome is what a message meant to a Table.
type Outcome uint8

const (
	// Ignored means that there was nothing to do: a delete of what is not there, for example.
	Ignored Outcome = iota
	// Stale means that the version was not newer than the known one; nothing was done.
	Stale
	// Added means that a value is there that was not there before.
	Added
	// Updated means that a value replaced an older one.
	Updated
	// Deleted means that a value is gone.
	Deleted
)

// A Table is a versioned map. Every key is unknown, live (it has a value and a version), or a
// tombstone (only the version of its deletion, so that a late message of an older one is not
// mistaken for news):
//
//	message      unknown              live at v                    tombstone at v
//	upsert n     Added                n > v: Updated, else Stale   n > v: Added, else Stale
//	delete n     tombstone, Ignored   n > v: Deleted, else Stale   n > v: tombstone at n; Ignored
//	omit         Ignored              unknown; Deleted             unknown; Ignored
//
// Iteration is in the order in which the values were added. The zero Table is not usable; NewTable
// makes one. A Table is not safe for concurrent use.
type Table[K comparable, V any] struct {
	slots      map[K]*slot[K, V]
	live       list[K, V] // in order of addition
	tombstones list[K, V] // in order of deletion
	limit      int        // of tombstones

	puts    uint32      // how many puts there were; see put
	unused  int         // slots that are still unknown
	recent  *slot[K, V] // found last: a key that was read is often the next to be changed
	inOrder bool        // recent was a neighbour of the slot found before it
}

// A slot is what a Table knows of a key. It is in the list of the live or in that of the tombstones, unless
// the key is still unknown.
type slot[K comparable, V any] struct {
	key        K
	value      V
	version    int
	prev, next *slot[K, V]
	listed     uint32 // the last put that listed the key
	state      state
}

type state uint8

const (
	unknown state = iota
	live
	tombstone
)

// NewTable returns an empty table that keeps at most limit tombstones and forgets the oldest first.
// It panics if limit is negative.
func NewTable[K comparable, V any](limit int) *Table[K, V] {
	if limit < 0 {
		panic("diff: negative limit of tombstones")
	}
	return &Table[K, V]{slots: make(map[K]*slot[K, V]), limit: limit}
}

// Len returns the number of values.
func (t *Table[K, V]) Len() int { return t.live.len }

// Tombstones returns the number of tombstones.
func (t *Table[K, V]) Tombstones() int { return t.tombstones.len }

// Format implements fmt.Formatter for every verb: how much there is, because values may hold keys.
func (t Table[K, V]) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "diff.Table(%d items, %d tombstones)", t.Len(), t.Tombstones())
}

// Get returns the value of key and its version.
func (t *Table[K, V]) Get(key K) (value V, version int, ok bool) {
	if s := t.find(key); s != nil && s.state == live {
		return s.value, s.version, true
	}
	return value, 0, false
}

// All calls yield for each value until it returns false. yield must not change the table.
func (t *Table[K, V]) All(yield func(key K, value V) bool) {
	for s := t.live.first; s != nil; s = s.next {
		if !yield(s.key, s.value) {
			return
		}
	}
}

// Replace gives key another value at the same version. It panics if key is not live.
func (t *Table[K, V]) Replace(key K, value V) {
	s := t.find(key)
	if s == nil || s.state != live {
		panic("diff: Replace of a key that is not live")
	}
	s.value = value
}

// Upsert applies version of key's value. For Updated it returns the value before.
func (t *Table[K, V]) Upsert(key K, version int, value V) (old V, outcome Outcome) {
	return t.upsert(t.slot(key), version, value)
}

func (t *Table[K, V]) upsert(s *slot[K, V], version int, value V) (old V, outcome Outcome) {
	if s.state != unknown && version <= s.version {
		return old, Stale
	}
	old, s.value, s.version = s.value, value, version
	switch s.state {
	case live:
		return old, Updated
	case tombstone:
		t.tombstones.remove(s)
	case unknown:
		t.unused--
	}
	s.state = live
	t.live.append(s)
	return old, Added
}

// Delete applies the deletion of key at version. For Deleted it returns the value before.
func (t *Table[K, V]) Delete(key K, version int) (old V, outcome Outcome) {
	s := t.slot(key)
	switch {
	case s.state == unknown:
		t.unused--
	case version <= s.version && s.state == tombstone:
		return old, Ignored
	case version <= s.version:
		return old, Stale
	case s.state == live:
		old, outcome = t.bury(s), Deleted
	default:
		t.tombstones.remove(s)
	}
	s.version, s.state = version, tombstone
	t.tombstones.append(s)
	if t.tombstones.len > t.limit {
		t.forget(&t.tombstones, t.tombstones.first)
	}
	return old, outcome
}

// Omit forgets key and its version, as a listing does that lacks it. For Deleted it returns the value before.
func (t *Table[K, V]) Omit(key K) (old V, outcome Outcome) {
	switch s := t.find(key); {
	case s == nil:
	case s.state == live:
		t.drop(s)
		old, outcome = t.bury(s), Deleted
	case s.state == tombstone:
		t.forget(&t.tombstones, s)
	}
	return old, outcome
}

// slot finds or makes the slot of key. One that is made is unknown until it is upserted or deleted.
func (t *Table[K, V]) slot(key K) *slot[K, V] {
	s := t.find(key)
	if s == nil {
		s = &slot[K, V]{key: key}
		t.slots[key] = s
		t.unused++
	}
	return s
}

// find returns the slot of key, or nil. A repeated listing has the keys in the order of the slots, and find is
// called for them in that order, or backwards, which saves the look-ups in the map: see BenchmarkPut/unchanged.
func (t *Table[K, V]) find(key K) *slot[K, V] {
	recent := t.recent
	if recent == nil {
		t.recent = t.slots[key]
		return t.recent
	}
	switch {
	case recent.key == key:
		return recent
	case !t.inOrder:
	case recent.next != nil && recent.next.key == key:
		t.recent = recent.next
		return t.recent
	case recent.prev != nil && recent.prev.key == key:
		t.recent = recent.prev
		return t.recent
	}
	s := t.slots[key]
	if s != nil {
		t.recent, t.inOrder = s, s == recent.next || s == recent.prev
	}
	return s
}

// is reports whether the key is live at version.
func (s *slot[K, V]) is(version int) bool { return s.state == live && s.version == version }

// bury takes the value from a live slot and the slot from its list.
func (t *Table[K, V]) bury(s *slot[K, V]) V {
	var none, value V
	value, s.value = s.value, none
	t.live.remove(s)
	return value
}

func (t *Table[K, V]) forget(l *list[K, V], s *slot[K, V]) {
	l.remove(s)
	t.drop(s)
}

// drop forgets a key.
func (t *Table[K, V]) drop(s *slot[K, V]) {
	delete(t.slots, s.key)
	if t.recent == s {
		t.recent = nil
	}
}

// A list is a doubly linked list through the slots themselves.
type list[K comparable, V any] struct {
	first, last *slot[K, V]
	len         int
}

func (l *list[K, V]) append(s *slot[K, V]) {
	s.prev, s.next = l.last, nil
	if l.last == nil {
		l.first = s
	} else {
		l.last.next = s
	}
	l.last = s
	l.len++
}

func (l *list[K, V]) remove(s *slot[K, V]) {
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	l.len--
}
