package stream

import (
	"slices"
	"sort"
)

// A log holds the values that a subject has published and some subscriber has yet to take. There
// is one for all subscribers, who each keep the number of the value that comes next for them: to
// publish costs one append, however many there are, and to take is to cut a slice.
//
// When the block is full the log goes on in another one, and leaves the full one as it is while a
// subscriber has yet to take from it: to copy what waits into ever larger blocks would take time and
// several times the memory. The new block repeats the last values, at most overlap of them, so that one
// block has all the values that a subscriber takes at once.
//
// Values are never overwritten while a subscriber may be reading them. The subject's lock guards all but
// the reading.
type log[T any] struct {
	span[T]           // the block in use
	older   []span[T] // the full ones that somebody has yet to take from, in order
	former  span[T]   // the last one that nobody takes from any more, to be used again
}

// A span is a block of successive values.
type span[T any] struct {
	values []T
	start  uint64 // the number of values[0]
}

const (
	// A log begins with firstBlock values, for there may be a subject to each of many keys; one that is
	// in use soon has blocks of minBlock.
	firstBlock = 4
	minBlock   = 64
	// maxBlock is the largest block. A block larger than minBlock outlives its values only while it is used by a
	// quarter: a stream that has become quiet should cost little.
	maxBlock = 1024
	overlap  = maxBatch - 1
)

// end returns the number that the value behind the last one has.
func (s *span[T]) end() uint64 { return s.start + uint64(len(s.values)) }

func (s *span[T]) full() bool { return len(s.values) == cap(s.values) }

// slice returns the values numbered from (inclusive) to (exclusive).
func (s *span[T]) slice(from, to uint64) []T {
	return s.values[from-s.start : to-s.start : to-s.start]
}

// find returns the index in older of the block to take from at that number, the length of older for the block
// in use.
func (l *log[T]) find(from uint64) int {
	if from >= l.start {
		return len(l.older)
	}
	return sort.Search(len(l.older), func(i int) bool { return from < l.older[i].start }) - 1
}

// batch returns the values from that number on, at most maxBatch.
func (l *log[T]) batch(from uint64) []T {
	block := &l.span
	if i := l.find(from); i < len(l.older) {
		block = &l.older[i]
	}
	return block.slice(from, min(from+maxBatch, block.end()))
}

// since returns all values from that number on.
func (l *log[T]) since(from uint64) []T {
	if from >= l.start {
		return l.slice(from, l.end())
	}
	values := make([]T, 0, l.end()-from)
	for from < l.end() {
		batch := l.batch(from)
		values = append(values, batch...)
		from += uint64(len(batch))
	}
	return values
}

// turn makes room. Values before next were taken by everybody, and values before read are not
// being read by anybody.
func (l *log[T]) turn(next, read uint64) {
	full, end := l.span, l.end()
	block, size := l.former.values, max(firstBlock, min(minBlock, 2*cap(full.values)), min(maxBlock, 2*int(end-next)))
	if read < l.former.end() || cap(block) < size {
		block = make([]T, 0, size)
	}
	clear(block)
	start := max(next, full.start, end-min(end, overlap))
	l.span = span[T]{append(block[:0], full.slice(start, end)...), start}
	l.former = full
	if next < start {
		l.older, l.former = append(l.older, full), span[T]{}
	}
	if n := l.find(next); n > 0 {
		l.former = l.older[n-1]
		l.older = slices.Delete(l.older, 0, n)
	}
}

// reset forgets all values, which everybody must have taken and nobody may be reading. It keeps the block in use and the
// one before, unless they are too large for as many values as there were.
func (l *log[T]) reset() {
	values := len(l.values)
	if n := len(l.older); n > 0 {
		values = int(l.end() - l.older[0].start)
		l.former = l.older[n-1]
	}
	l.start = l.end()
	l.values, l.former.values, l.older = emptied(l.values, values), emptied(l.former.values, values), emptied(l.older, len(l.older))
}

// emptied returns block without its values, or nil if it is too large for n values.
func emptied[T any](block []T, n int) []T {
	if cap(block) > min(max(minBlock, 4*n), maxBlock) {
		return nil
	}
	clear(block)
	return block[:0]
}
