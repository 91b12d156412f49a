package diff

import (
	"container/heap"
	"slices"

	"github.com/relaystream/autoconfig/decode"
)

// A schedule knows which keys of which environments will expire when. It is a heap, so that one
// timer serves any number of keys.
type schedule struct {
	queue expiryQueue
	byEnv map[decode.EnvironmentID][]*expiry
	added uint64
}

// An expiry is a key that will expire.
type expiry struct {
	credential
	env   decode.EnvironmentID
	order uint64 // of addition, for keys that expire at the same time
	index int    // in the queue
}

func (s *schedule) add(env decode.EnvironmentID, c credential) {
	s.added++
	e := &expiry{credential: c, env: env, order: s.added}
	heap.Push(&s.queue, e)
	if s.byEnv == nil {
		s.byEnv = make(map[decode.EnvironmentID][]*expiry)
	}
	s.byEnv[env] = append(s.byEnv[env], e)
}

func (s *schedule) remove(e *expiry) {
	heap.Remove(&s.queue, e.index)
	rest := slices.DeleteFunc(s.byEnv[e.env], func(other *expiry) bool { return other == e })
	if len(rest) == 0 {
		delete(s.byEnv, e.env)
	} else {
		s.byEnv[e.env] = rest
	}
}

// cancel removes all keys of env.
func (s *schedule) cancel(env decode.EnvironmentID) {
	for _, e := range s.byEnv[env] {
		heap.Remove(&s.queue, e.index)
	}
	delete(s.byEnv, env)
}

func (s *schedule) move(e *expiry, to int64) {
	e.expiry = to
	heap.Fix(&s.queue, e.index)
}

// of returns the keys of env, in the order in which they were added.
func (s *schedule) of(env decode.EnvironmentID) []*expiry { return slices.Clone(s.byEnv[env]) }

// An expiryQueue is a heap by time; it implements heap.Interface.
type expiryQueue []*expiry

func (q expiryQueue) Len() int { return len(q) }

func (q expiryQueue) Less(i, j int) bool {
	if q[i].expiry != q[j].expiry {
		return q[i].expiry < q[j].expiry
	}
	return q[i].order < q[j].order
}

func (q expiryQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *expiryQueue) Push(x any) {
	e := x.(*expiry)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *expiryQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
