package stream

// A log holds the values that a subject has published and some subscriber has yet to take. There
// is one for all subscribers, who each keep the number of the value that comes next for them: to
// publish costs one append, however many there are, and to take is to cut a slice.
//
// Values are never moved or overwritten while a subscriber may be reading them: when the block is
// full the log goes on in another one, and comes back to the former when nobody reads it any more.
// The subject's lock guards all but the reading.
type log[T any] struct {
	values []T    // the block in use
	start  uint64 // the number of values[0]

	former    []T // the block before, whose values have numbers less than formerEnd
	formerEnd uint64
}

const (
	// A log begins with firstBlock values, for there may be a subject to each of many keys; one that is
	// in use soon has blocks of minBlock.
	firstBlock = 4
	minBlock   = 64
	// maxIdleBlock is the largest block that outlives its values, and that only while it is used by a
	// quarter: a stream that has become quiet should cost little.
	maxIdleBlock = 1024
)

// end returns the number that the next value will have.
func (l *log[T]) end() uint64 { return l.start + uint64(len(l.values)) }

func (l *log[T]) full() bool { return len(l.values) == cap(l.values) }

// slice returns the values numbered from (inclusive) to (exclusive).
func (l *log[T]) slice(from, to uint64) []T {
	return l.values[from-l.start : to-l.start : to-l.start]
}

// turn makes room. Values before next were taken by everybody, and values before read are not
// being read by anybody.
func (l *log[T]) turn(next, read uint64) {
	kept := l.slice(next, l.end())
	block, size := l.former, max(firstBlock, min(minBlock, 2*cap(l.values)), 2*len(kept))
	if read < l.formerEnd || cap(block) < size || cap(block) > maxIdleBlock+4*size {
		block = make([]T, 0, size)
	}
	clear(block)
	l.former, l.formerEnd = l.values, l.end()
	l.values, l.start = append(block[:0], kept...), next
}

// reset forgets all values, which everybody must have taken and nobody may be reading.
func (l *log[T]) reset() {
	l.start = l.end()
	l.values = emptied(l.values)
	l.former = emptied(l.former)
}

func emptied[T any](block []T) []T {
	if cap(block) > min(max(minBlock, 4*len(block)), maxIdleBlock) {
		return nil
	}
	clear(block)
	return block[:0]
}
