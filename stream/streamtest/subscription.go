package streamtest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// A subscription is one subscription under observation, on a goroutine of its own.
type subscription[T any] struct {
	o       stream.Observable[T]
	ctx     context.Context
	cancel  context.CancelCauseFunc
	labels  context.Context // marks every goroutine that descends from the subscription
	onValue func(k int) bool
	thrown  any           // what onValue is going to panic with
	before  int           // how many goroutines there were
	ended   chan struct{} // closed when it has returned
	told    chan struct{} // closed by ask

	// Written by the subscriber's goroutine and read after ended.
	values    []T
	err       error
	panicked  any
	endedAt   time.Time
	goroutine string

	// A broken observable may call yield from anywhere and at any time.
	mu       sync.Mutex
	asked    *request
	lenient  bool // values after the request are no breach
	breaches []breach
}

// A request is what the observable was told to do.
type request struct {
	rule int    // the rule that makes it return
	what string // completes "after …"
	at   time.Time
}

// label is the key of the profiler label that marks goroutines; its value is the subscription's address.
const label = "streamtest"

// prepare makes a subscription that is yet to start. onValue is called with the number of each
// value, from 1, and its result is yield's.
func (s *suite[T]) prepare(o stream.Observable[T], onValue func(k int) bool) *subscription[T] {
	sub := &subscription[T]{o: o, onValue: onValue, ended: make(chan struct{}), told: make(chan struct{})}
	sub.before = runtime.NumGoroutine()
	marks := pprof.Labels(label, fmt.Sprintf("%p", sub))
	sub.labels = pprof.WithLabels(context.Background(), marks)
	sub.ctx, sub.cancel = context.WithCancelCause(sub.labels)
	return sub
}

func (s *suite[T]) subscribe(o stream.Observable[T], onValue func(k int) bool) *subscription[T] {
	sub := s.prepare(o, onValue)
	sub.start()
	return sub
}

func (s *subscription[T]) start() {
	go func() {
		defer close(s.ended)
		defer func() {
			// A panic that was not asked for is better left to crash, with its stack.
			if s.thrown != nil {
				s.panicked = recover()
			}
			s.mu.Lock()
			s.endedAt = time.Now()
			s.mu.Unlock()
		}()
		pprof.SetGoroutineLabels(s.labels)
		s.goroutine = goroutineID()
		s.err = s.o(s.ctx, s.yield)
	}()
}

func (s *subscription[T]) yield(v T) bool {
	if !s.admit() {
		return false
	}
	s.values = append(s.values, v)
	k := len(s.values)
	more := s.onValue(k)
	if !more {
		s.ask(3, fmt.Sprintf("yield had returned false at value %d", k))
	}
	return more
}

// admit reports whether yield may be called now, and records it if not. An observable that does
// not stop loses its goroutine, so that one which never would is reported, too.
func (s *subscription[T]) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.endedAt.IsZero():
		s.breaches = append(s.breaches, breach{1, "yield was called after the observable had returned"})
		return false
	case goroutineID() != s.goroutine:
		s.breaches = append(s.breaches, breach{1, "yield was called on another goroutine than the subscriber's"})
		return false
	case s.asked != nil && !s.lenient:
		s.breaches = append(s.breaches, breach{s.asked.rule, "yield was called after " + s.asked.what})
		runtime.Goexit()
	}
	return true
}

// ask records that the observable has been told, as rule says, to return now. Only the first
// counts.
func (s *subscription[T]) ask(rule int, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = &request{rule, what, time.Now()}
		close(s.told)
	}
}

// hasEnded reports whether the observable has returned.
func (s *subscription[T]) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// wait waits for the end: as long as patience while it has not been asked for, and for grace
// thereafter. It reports whether the end has come.
func (s *subscription[T]) wait(patience, grace time.Duration) bool {
	select {
	case <-s.ended:
	case <-s.told:
		select {
		case <-s.ended:
		case <-time.After(grace):
		}
	case <-time.After(patience):
	}
	return s.hasEnded()
}

// goroutineID returns the runtime's number of the calling goroutine.
func goroutineID() string {
	var buffer [64]byte
	_, id, _ := bytes.Cut(buffer[:runtime.Stack(buffer[:], false)], []byte(" "))
	id, _, _ = bytes.Cut(id, []byte(" "))
	return string(id)
}
