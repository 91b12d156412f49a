package streamtest

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing/synctest"
	"time"
)

// In virtual time waiting costs nothing, and what is prompt takes none at all.
const (
	patienceVirtual = 10 * 365 * 24 * time.Hour // for a sequence that has not been told to end
	patienceReal    = time.Minute
	graceVirtual    = time.Hour      // for one that has, until it is given up
	graceReal       = time.Minute    // prompt on any machine
	aftermath       = 24 * time.Hour // how long nothing may happen after the end
)

func (s *suite[T]) patience() time.Duration {
	if s.RealTime {
		return patienceReal
	}
	return patienceVirtual
}

// settle waits until nothing moves any more, short of time passing.
func (s *suite[T]) settle() {
	if !s.RealTime {
		synctest.Wait()
	}
}

// finish waits until the subscription has ended and everything that belongs to it is gone, and
// reports what was wrong with that. It returns false if anything was: a comparison of what it
// yielded would then only be noise.
func (s *suite[T]) finish(sub *subscription[T]) bool {
	before := len(s.found)
	if s.used {
		s.hurry(sub)
	}
	defer s.watch.progress()
	defer sub.cancel(nil)
	if ended := s.await(sub); ended {
		s.checkPrompt(sub)
		s.checkGone(sub)
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	s.found = append(s.found, sub.breaches...)
	return len(s.found) == before
}

// hurry cancels a subscription that waits for values which may not come.
func (s *suite[T]) hurry(sub *subscription[T]) {
	select {
	case <-sub.ended:
	case <-sub.told:
	case <-time.After(s.pause()):
		sub.ask(4, "the context was cancelled while it waited")
		sub.cancel(errCancelled)
	}
}

// pause is long for an observable, and short for us.
func (s *suite[T]) pause() time.Duration {
	if s.RealTime {
		return time.Millisecond
	}
	return time.Hour
}

// await waits for the end and reports its absence.
func (s *suite[T]) await(sub *subscription[T]) bool {
	grace := graceVirtual
	if s.RealTime {
		grace = graceReal
	}
	if sub.wait(s.patience(), grace) {
		return true
	}
	sub.mu.Lock()
	defer sub.mu.Unlock()
	if sub.asked == nil {
		s.breach(0, "it did not end within %v", s.patience())
	} else {
		s.breach(sub.asked.rule, "it did not return after %s", sub.asked.what)
	}
	return false
}

// checkPrompt: between the request and the return, the clock has not moved.
func (s *suite[T]) checkPrompt(sub *subscription[T]) {
	if sub.asked == nil || s.RealTime {
		return // In real time, await has been the judge.
	}
	if took := sub.endedAt.Sub(sub.asked.at); took > 0 {
		s.breach(sub.asked.rule, "it took %v to return after %s", took, sub.asked.what)
	}
}

// checkGone: no goroutine is left, and nothing happens later.
func (s *suite[T]) checkGone(sub *subscription[T]) {
	s.settle()
	if !s.RealTime && runtime.NumGoroutine() <= sub.before {
		s.stirred = s.rest() // Nothing is left, and to look at them all would take long.
		return
	}
	mark := fmt.Sprintf("%q:%q", label, fmt.Sprintf("%p", sub))
	left := goroutinesWith(mark)
	if s.RealTime {
		// A goroutine that has signalled its end needs a moment to be gone.
		for deadline := time.Now().Add(graceReal); left != "" && time.Now().Before(deadline); left = goroutinesWith(mark) {
			time.Sleep(time.Millisecond)
		}
	}
	if left != "" {
		rule := 2
		if sub.asked != nil && sub.asked.rule == 6 {
			rule = 6
		}
		s.breach(rule, "goroutines were left behind:\n%s", left)
		return
	}
	if !s.RealTime {
		s.stirred = s.rest()
	}
}

// rest lets time pass in which nothing may happen, and returns how many goroutines were created in it.
func (s *suite[T]) rest() uint64 {
	before := goroutinesCreated()
	time.Sleep(aftermath)
	s.settle()
	return goroutinesCreated() - before
}

// goroutinesWith returns the stacks of all goroutines whose profiler labels contain mark.
func goroutinesWith(mark string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return err.Error()
	}
	var left []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, mark) {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
