package streamtest

import (
	"fmt"
	"iter"
	"runtime"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A way is how a subscription comes to its end. Its check subscribes to o and looks at everything.
type way[T any] struct {
	name  string // completes "after a subscription that …"
	check func(s *suite[T], o stream.Observable[T], k int)
}

// ways are those that can be taken, each at a value.
func (s *suite[T]) ways() []way[T] {
	ways := []way[T]{{"was cancelled", (*suite[T]).cancelAfter}}
	if !s.Endless || len(s.want) > 0 {
		ways = append(ways, way[T]{"took everything", (*suite[T]).takeAll})
	}
	if len(s.want) > 0 {
		ways = append(ways,
			way[T]{"was stopped", (*suite[T]).stopAt}, way[T]{"was cancelled in yield", (*suite[T]).cancelAt},
			way[T]{"panicked", (*suite[T]).panicAt}, way[T]{"exited", (*suite[T]).exitAt})
	}
	return ways
}

// checkAgain: one observable is subscribed to in each way after each other one. What went before
// makes no difference.
func (s *suite[T]) checkAgain() {
	o := s.newObservable()
	s.used = s.Hot
	ways, k, before := s.ways(), 0, ""
	for i := range everyPair(len(ways)) {
		if len(s.want) > 0 {
			k = k%len(s.want) + 1
		}
		ways[i].check(s, o, k)
		if len(s.found) > 0 && before != "" {
			s.found[0].text = fmt.Sprintf("in a subscription to the same observable after one that %s: %s", before, s.found[0].text)
		}
		if len(s.found) > 0 {
			return
		}
		before = ways[i].name
	}
}

// everyPair yields the numbers below n so that each follows each, itself too.
func everyPair(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
			for k := i; k < n; k++ {
				if k > i && !yield(k) || !yield(i) {
					return
				}
			}
		}
	}
}

// checkTimers: no function of a timer is called later. It judges by the goroutines that the runtime
// creates for them. Others may create some, too, so that this must happen again and again, and not
// where there is no subscription.
func (s *suite[T]) checkTimers() {
	const times = 3
	for _, w := range s.ways() {
		stirred := 0
		for stirred < times && s.stirs(w) {
			stirred++
		}
		if stirred == times {
			s.breach(2, "a timer fired after a subscription that %s", w.name)
			return
		}
	}
}

func (s *suite[T]) stirs(w way[T]) bool {
	s.stirred = 0
	w.check(s, s.newObservable(), min(1, len(s.want)))
	return !s.RealTime && s.stirred > 0 && s.rest() == 0
}

// Each of the following is one subscription to o that ends in one way, at value k.

func (s *suite[T]) takeAll(o stream.Observable[T], _ int) {
	if s.Hot {
		s.cancelAfter(o, 0) // what is there may not be everything, nor may there be an end
		return
	}
	s.expectAll(s.subscribe(o, s.all))
}

func (s *suite[T]) stopAt(o stream.Observable[T], k int) {
	sub := s.subscribe(o, func(i int) bool { return i < k })
	s.expectStopped(sub, k)
}

func (s *suite[T]) cancelAt(o stream.Observable[T], k int) {
	var sub *subscription[T]
	sub = s.prepare(o, func(i int) bool {
		if i == k {
			sub.cancel(errCancelled)
			sub.ask(4, fmt.Sprintf("the context was cancelled at value %d", k))
		}
		return true
	})
	sub.start()
	s.expectCancelled(sub, k)
}

// cancelAfter cancels the context from outside when value k has been yielded, or there is none to
// come, and everything waits.
func (s *suite[T]) cancelAfter(o stream.Observable[T], k int) {
	reached := make(chan struct{})
	sub := s.prepare(o, func(i int) bool {
		if i == k {
			close(reached)
		}
		return s.all(i) || i == len(s.want)
	})
	// In real time a value may already be on its way.
	sub.lenient = s.RealTime
	sub.start()
	if k > 0 && !s.Hot {
		select {
		case <-reached:
		case <-sub.ended:
		case <-time.After(s.patience()):
		}
	}
	s.settle()
	if sub.hasEnded() {
		s.finish(sub) // It did not wait; checkValues looks at what it did.
		return
	}
	sub.ask(4, fmt.Sprintf("the context was cancelled while it waited, after value %d", k))
	sub.cancel(errCancelled)
	s.expectCancelled(sub, -1)
}

func (s *suite[T]) panicAt(o stream.Observable[T], k int) {
	var sub *subscription[T]
	sub = s.prepare(o, func(i int) bool {
		if i == k {
			sub.ask(6, fmt.Sprintf("yield had panicked at value %d", k))
			panic(sub.thrown)
		}
		return true
	})
	sub.thrown = new(int)
	sub.start()
	switch {
	case !s.finish(sub):
	case sub.asked == nil:
		s.expectMore(sub)
	case sub.asked.rule == 6 && sub.panicked != sub.thrown:
		s.breach(6, "a panic in yield at value %d was swallowed", k)
	}
}

func (s *suite[T]) exitAt(o stream.Observable[T], k int) {
	var sub *subscription[T]
	sub = s.prepare(o, func(i int) bool {
		if i == k {
			sub.ask(6, fmt.Sprintf("yield had called runtime.Goexit at value %d", k))
			runtime.Goexit()
		}
		return true
	})
	sub.start()
	if s.finish(sub) && sub.asked == nil {
		s.expectMore(sub)
	}
}
