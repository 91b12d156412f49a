package diff

import "container/heap"

// A schedule has the keyrings with keys that will expire, as a heap by time, so that one timer serves any
// number of them.
type schedule []*keyring

// add schedules the next expiry of r, if there is one.
func (s *schedule) add(r *keyring) {
	if r.next != 0 {
		heap.Push((*queue)(s), r)
	}
}

// remove undoes add.
func (s *schedule) remove(r *keyring) {
	if r.next == 0 {
		return
	}
	heap.Remove((*queue)(s), r.index)
	if len(*s) == 0 {
		*s = nil // give back the memory
	}
}

// A queue is a schedule as a heap.Interface.
type queue []*keyring

func (q queue) Len() int { return len(q) }

// Less orders keyrings that expire at the same time by the ID, so that the order does not depend on chance.
func (q queue) Less(i, j int) bool {
	if q[i].next != q[j].next {
		return q[i].next < q[j].next
	}
	return q[i].named.EnvID < q[j].named.EnvID
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	r := x.(*keyring)
	r.index = len(*q)
	*q = append(*q, r)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	r := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return r
}
