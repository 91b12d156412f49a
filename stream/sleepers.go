package stream

// The sleepers are the subscribers of a subject that have taken everything and wait to be woken. The
// subject's lock guards them.
//
// Who publishes wakes only a few; each of these wakes another one when it comes to take what it was
// woken for, until all are awake who should be. So publishing does not take longer the more
// subscribers there are, and the memory of a goroutine that is fetched to wake it, which with many
// is most of the work, is still at hand when it runs.
//
// Concurrency: nobody is left asleep, because some of those to be woken are always under way while
// there are any, and whoever is under way comes to take, or leaves, without calling anybody's code
// before that: arrived is called in both cases.
type sleepers[T any] struct {
	// queue[head:due] are to be woken, and queue[due:] are asleep until more is published. Their
	// wake-up is here, beside them, so that a subscription need not be touched before it runs.
	queue     []sleeper[T]
	head, due int
	first     uint64 // the number of queue[0]
	underWay  int    // those that were woken and have not arrived
}

type sleeper[T any] struct {
	sub  *subscription[T]
	wake chan<- struct{}
}

// maxUnderWay is enough to keep many processors busy.
const maxUnderWay = 32

// asleep reports how many there are, and whether some of them are to be woken.
func (s *sleepers[T]) asleep() (n int, due bool) { return len(s.queue) - s.head, s.head < s.due }

// add lets sub sleep until the next call of rouse.
func (s *sleepers[T]) add(sub *subscription[T]) {
	if s.head == len(s.queue) || len(s.queue) == cap(s.queue) && s.head > len(s.queue)/2 {
		s.tidy()
	}
	sub.bed = s.first + uint64(len(s.queue)) + 1
	s.queue = append(s.queue, sleeper[T]{sub, sub.wake})
}

// tidy makes room in the queue where those were who are awake.
func (s *sleepers[T]) tidy() {
	n := copy(s.queue, s.queue[s.head:])
	clear(s.queue[n:])
	s.queue = s.queue[:n]
	s.first += uint64(s.head)
	s.due -= s.head
	s.head = 0
}

// rouse says that there is something for all that sleep.
func (s *sleepers[T]) rouse() { s.due = len(s.queue) }

// next returns the wake-up of one more who is to be woken, or nil. The caller is to signal it, best
// after unlocking.
func (s *sleepers[T]) next() chan<- struct{} {
	if s.head == s.due || s.underWay == maxUnderWay {
		return nil
	}
	wake := s.queue[s.head].wake
	s.queue[s.head] = sleeper[T]{}
	s.head++
	s.underWay++
	return wake
}

// arrived is the opposite of add, whether sub was woken or has come by itself.
func (s *sleepers[T]) arrived(sub *subscription[T]) {
	if sub.bed == 0 {
		return
	}
	if i := int(sub.bed - 1 - s.first); i < s.head {
		s.underWay--
	} else {
		s.removeAt(i)
	}
	sub.bed = 0
}

// removeAt fills the place with the last one, but keeps apart who is to be woken.
func (s *sleepers[T]) removeAt(i int) {
	if i < s.due {
		s.due--
		s.fill(i, s.due)
		i = s.due
	}
	last := len(s.queue) - 1
	s.fill(i, last)
	s.queue[last] = sleeper[T]{}
	s.queue = s.queue[:last]
}

// fill puts who is at place from to i, unless that is the same.
func (s *sleepers[T]) fill(i, from int) {
	if i != from {
		s.queue[i] = s.queue[from]
		s.queue[i].sub.bed = s.first + uint64(i) + 1
	}
}

// signal leaves a token, unless there is one.
func signal(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
