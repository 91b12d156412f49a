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
	keys  map[scheduledKey]*expiry
	byEnv map[decode.EnvironmentID][]*expiry
	added uint64
}

// A scheduledKey identifies a key of an environment.
type scheduledKey struct {
	env    decode.EnvironmentID
	sdk    decode.SDKKey
	mobile decode.MobileKey
}

// An expiry is a key that will expire.
type expiry struct {
	credential
	env   decode.EnvironmentID
	order uint64 // of addition, for keys that expire at the same time
	index int    // in the queue
}

func (s *schedule) add(env decode.EnvironmentID, c credential) {
	if s.keys == nil {
		s.keys = make(map[scheduledKey]*expiry)
		s.byEnv = make(map[decode.EnvironmentID][]*expiry)
	}
	s.added++
	e := &expiry{credential: c, env: env, order: s.added}
	heap.Push(&s.queue, e)
	s.keys[scheduledKey{env, c.sdk, c.mobile}] = e
	s.byEnv[env] = append(s.byEnv[env], e)
}

// find returns the expiry of a key of env, or nil.
func (s *schedule) find(env decode.EnvironmentID, c credential) *expiry {
	return s.keys[scheduledKey{env, c.sdk, c.mobile}]
}

func (s *schedule) remove(e *expiry) {
	s.unschedule(e)
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
		s.unschedule(e)
	}
	delete(s.byEnv, env)
}

func (s *schedule) unschedule(e *expiry) {
	heap.Remove(&s.queue, e.index)
	delete(s.keys, scheduledKey{e.env, e.sdk, e.mobile})
	if len(s.queue) == 0 {
		s.queue, s.keys, s.byEnv = nil, nil, nil // maps never shrink
	}
}

func (s *schedule) move(e *expiry, to int64) {
	e.expiry = to
	heap.Fix(&s.queue, e.index)
}

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
