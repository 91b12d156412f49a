package streamtest

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"runtime"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A suite is the checks for one observable. Each check is a method; what it finds is collected in
// found, so that the checks can themselves be tested.
type suite[T any] struct {
	Options
	newObservable func() stream.Observable[T]
	want          []T
	found         []breach
	watch         *watch
	used          bool   // subscriptions are to an observable that others may have left without values
	stirred       uint64 // goroutines that were created after the latest subscription was gone
}

// errCancelled is the cause with which the checks cancel. Only context.Cause knows it.
var errCancelled = errors.New("streamtest: cancelled on purpose")

type check[T any] struct {
	name  string
	check func(*suite[T])
}

func (s *suite[T]) checks() []check[T] {
	checks := []check[T]{
		{"values", (*suite[T]).checkValues},
		{"stop", (*suite[T]).checkStop},
		{"cancelled before", (*suite[T]).checkCancelledBefore},
		{"cancel in yield", (*suite[T]).checkCancelInYield},
		{"cancel while waiting", (*suite[T]).checkCancelWhileWaiting},
		{"panic", (*suite[T]).checkPanic},
		{"goexit", (*suite[T]).checkGoexit},
		{"again", (*suite[T]).checkAgain},
		{"timers", (*suite[T]).checkTimers},
	}
	if !s.Lossy {
		checks = append(checks, check[T]{"slow subscriber", (*suite[T]).checkSlow})
	}
	if !s.Hot {
		checks = append(checks, check[T]{"two subscribers", (*suite[T]).checkTwo})
	}
	return checks
}

// run makes one check on a copy of the suite and returns what it found.
func (s *suite[T]) run(check func(*suite[T])) []breach {
	one := *s
	check(&one)
	return one.found
}

func (s *suite[T]) breach(rule int, format string, args ...any) {
	s.found = append(s.found, breach{rule, fmt.Sprintf(format, args...)})
}

// all is the onValue of a subscriber that wants everything there is. It stops an endless sequence
// after the last value wanted, and one that has too many after the first too many.
func (s *suite[T]) all(k int) bool {
	return k < len(s.want) || k == len(s.want) && !s.Endless
}

// checkValues: the sequence is the expected one.
func (s *suite[T]) checkValues() {
	if s.Endless && len(s.want) == 0 {
		return // There is no value at which to stop; that it waits is checked by cancelling.
	}
	s.expectAll(s.subscribe(s.newObservable(), s.all))
}

// checkSlow: yield blocking is the backpressure, and loses nothing.
func (s *suite[T]) checkSlow() {
	if s.Endless && len(s.want) == 0 {
		return
	}
	sub := s.subscribe(s.newObservable(), func(k int) bool {
		time.Sleep(s.pause())
		return s.all(k)
	})
	if !s.finish(sub) {
		return
	}
	if n := len(sub.values); n < len(s.want) {
		s.breach(5, "a slow subscriber got %d values of %d", n, len(s.want))
		return
	}
	s.expectEnd(sub)
}

// checkTwo: subscriptions to one observable share no state, though they run at the same time.
func (s *suite[T]) checkTwo() {
	if s.Endless && len(s.want) == 0 {
		return
	}
	o := s.newObservable()
	interleave := func(k int) bool {
		runtime.Gosched()
		return s.all(k)
	}
	first := s.subscribe(o, interleave)
	second := s.subscribe(o, interleave)
	s.expectAll(first)
	s.expectAll(second)
}

// checkStop: a false from yield at any value is the last of it, and no error.
func (s *suite[T]) checkStop() {
	for k := range s.positions(1) {
		s.stopAt(s.newObservable(), k)

		// A context that is cancelled at the same moment does not make it an error.
		var sub *subscription[T]
		sub = s.prepare(s.newObservable(), func(i int) bool {
			if i == k {
				sub.cancel(errCancelled)
			}
			return i < k
		})
		sub.start()
		s.expectStopped(sub, k)
	}
}

// checkCancelledBefore: nothing comes of a context that is already cancelled.
func (s *suite[T]) checkCancelledBefore() {
	sub := s.prepare(s.newObservable(), func(int) bool { return true })
	sub.cancel(errCancelled)
	sub.ask(4, "the context had been cancelled before it began")
	sub.start()
	s.expectCancelled(sub, 0)
}

// checkCancelInYield: the context is cancelled by the subscriber itself, at any value.
func (s *suite[T]) checkCancelInYield() {
	for k := range s.positions(1) {
		s.cancelAt(s.newObservable(), k)
	}
}

// checkCancelWhileWaiting: the context is cancelled from outside, at the beginning or after any
// value, when everything is waiting for something or has come to its end.
func (s *suite[T]) checkCancelWhileWaiting() {
	for k := range s.positions(0) {
		s.cancelAfter(s.newObservable(), k)
	}
}

// checkPanic: a panic in yield comes out of the observable, and nothing is left behind.
func (s *suite[T]) checkPanic() {
	for k := range s.positions(1) {
		s.panicAt(s.newObservable(), k)
	}
}

// checkGoexit: the same for runtime.Goexit, which t.FailNow calls.
func (s *suite[T]) checkGoexit() {
	for k := range s.positions(1) {
		s.exitAt(s.newObservable(), k)
	}
}

// positions ranges over the numbers of the values at which to do something, from the given first,
// and ends early when there is something to report: a broken observable is told once, not n times.
func (s *suite[T]) positions(first int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for k := first; k <= len(s.want) && len(s.found) == 0; k++ {
			if !yield(k) {
				return
			}
		}
	}
}

// expectAll waits for the end and compares the whole sequence.
func (s *suite[T]) expectAll(sub *subscription[T]) {
	if s.finish(sub) {
		s.expectEnd(sub)
	}
}

// expectEnd compares the whole sequence of a subscription that has ended.
func (s *suite[T]) expectEnd(sub *subscription[T]) {
	s.expectValues(sub, len(s.want))
	want := s.Err
	if s.Endless {
		want = nil // It was stopped.
	}
	if !errors.Is(sub.err, want) {
		s.breach(0, "it ended with the error %v, want %v", sub.err, want)
	}
}

// expectStopped waits for the end of a subscription whose yield returned false at value k.
func (s *suite[T]) expectStopped(sub *subscription[T], k int) {
	if !s.finish(sub) {
		return
	}
	s.expectValues(sub, k)
	if sub.asked == nil {
		s.expectMore(sub)
	} else if sub.err != nil && sub.asked.rule == 3 {
		s.breach(3, "after yield had returned false at value %d, it returned the error %v", k, sub.err)
	}
}

// expectCancelled waits for the end of a subscription whose context was cancelled at value k, or
// at any if k is negative. A sequence that was at its end anyway may end as it would have.
func (s *suite[T]) expectCancelled(sub *subscription[T], k int) {
	if !s.finish(sub) {
		return
	}
	if sub.asked == nil {
		s.expectMore(sub)
		return
	}
	atEnd := k > 0 || s.RealTime
	atEnd = atEnd && !s.Endless && len(sub.values) == len(s.want)
	switch {
	case sub.err == errCancelled:
	case (atEnd || s.used) && (sub.err == nil || s.Err != nil && errors.Is(sub.err, s.Err)):
	default:
		s.breach(4, "after %s, it returned the error %v, want the context's cause", sub.asked.what, sub.err)
	}
	if k >= 0 {
		s.expectValues(sub, k)
	}
}

// expectMore reports a subscription that has ended before the value at which something was to happen.
func (s *suite[T]) expectMore(sub *subscription[T]) {
	if !s.used {
		s.breach(0, "it ended with the error %v after %d values", sub.err, len(sub.values))
	}
}

// expectValues compares the first n values, which must be all.
func (s *suite[T]) expectValues(sub *subscription[T], n int) {
	if s.used {
		return
	}
	if want := s.want[:n]; len(sub.values) != n || n > 0 && !reflect.DeepEqual(sub.values, want) {
		s.breach(0, "it yielded %v, want %v", sub.values, want)
	}
}
