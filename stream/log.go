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
// When the log turns to another block, and the slowest subscriber is n values behind, it has memory for at most
// n + n/15 + 3*maxBlock values. It keeps that until it turns again, or until everybody has taken everything; then it
// keeps two blocks.
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
	// maxBlock is the largest block. A block larger than minBlock outlives its values only if the log held a quarter
	// as many as it has room for: a stream that has become quiet should cost little.
	maxBlock = 1024
	overlap  = maxBatch - 1
)

// end returns the number of the value that follows.
func (s *span[T]) end() uint64 { return s.start + uint64(len(s.values)) }

func (s *span[T]) full() bool { return len(s.values) == cap(s.values) }

// slice returns the values numbered from (inclusive) to (exclusive).
func (s *span[T]) slice(from, to uint64) []T {
	return s.values[from-s.start : to-s.start : to-s.start]
}

// find returns the index in older of the block to take from at that number. It returns the length of older for the
// block in use.
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
	end := l.end()
	block, size := l.former.values, max(firstBlock, min(minBlock, 2*cap(l.values)), min(maxBlock, 2*int(end-next)))
	if read < l.former.end() || cap(block) < size {
		block = make([]T, 0, size)
	}
	clear(block)
	start := max(next, l.start, end-min(end, overlap))
	repeated := l.slice(start, end)
	l.older, l.former = append(l.older, l.span), span[T]{}
	l.span = span[T]{append(block[:0], repeated...), start}
	if n := l.find(next); n > 0 {
		l.former = l.older[n-1]
		l.older = slices.Delete(l.older, 0, n)
	}
}

// reset forgets all values, which everybody must have taken and nobody may be reading. It keeps the last two
// blocks, unless they are too large for as many values as there were.
func (l *log[T]) reset() {
	first, end := l.start, l.end()
	if n := len(l.older); n > 0 {
		first, l.former, l.older = l.older[0].start, l.older[n-1], nil
	}
	values := int(end - first)
	l.span, l.former.values = span[T]{emptied(l.values, values), end}, emptied(l.former.values, values)
}

// emptied returns block without its values, or nil if it is too large for n values.
func emptied[T any](block []T, n int) []T {
	if cap(block) > max(minBlock, 4*n) {
		return nil
	}
	clear(block)
	return block[:0]
}
