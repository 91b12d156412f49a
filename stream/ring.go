package stream

// A ring remembers the last values that were added to it, up to a number. It takes memory for those
// that there are, not for those that there may be.
type ring[T any] struct {
	room  int
	slots []T
	head  int // the slot of the oldest value
	len   int
}

// add remembers v, in the place of the oldest value if there is no room.
func (r *ring[T]) add(v T) {
	if r.room < 1 {
		return
	}
	if r.len == r.room {
		r.drop()
	}
	if r.len == len(r.slots) {
		r.resize(min(r.room, max(minSlots, 2*r.len)))
	}
	r.slots[(r.head+r.len)%len(r.slots)] = v
	r.len++
}

// drop forgets the oldest value. Of many more slots than there are values it keeps few.
func (r *ring[T]) drop() {
	var zero T
	r.slots[r.head] = zero
	r.head = (r.head + 1) % len(r.slots)
	r.len--
	if len(r.slots) > minSlots && r.len < len(r.slots)/4 {
		r.resize(len(r.slots) / 2)
	}
}

// resize gives the ring n slots, as many as there are values at least.
func (r *ring[T]) resize(n int) {
	slots := make([]T, n)
	for i := range r.len {
		slots[i] = r.at(i)
	}
	r.slots, r.head = slots, 0
}

const minSlots = 8

// at returns the value with i older ones.
func (r *ring[T]) at(i int) T { return r.slots[(r.head+i)%len(r.slots)] }
