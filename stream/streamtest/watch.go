package streamtest

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"time"
)

// patienceStuck is how long, in real time, one subscription may take in virtual time.
const patienceStuck = time.Minute

// A watch finds a check in which nothing moves any more, which the check itself cannot: virtual time
// stands still as long as anybody waits for a mutex, or calculates.
type watch struct {
	patience time.Duration
	found    func(breach) // called on a goroutine of its own
	steps    atomic.Int64
}

// begin watches a check until the function that it returns is called.
func (w *watch) begin(check string) (end func()) {
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		w.run(check, ended)
	}()
	return func() {
		close(ended)
		<-gone
	}
}

func (w *watch) run(check string, ended <-chan struct{}) {
	for {
		steps := w.steps.Load()
		select {
		case <-ended:
			return
		case <-time.After(w.patience):
		}
		if w.steps.Load() == steps {
			w.found(breach{2, fmt.Sprintf("%s: nothing has moved for %v:\n%s", check, w.patience, locked())})
		}
	}
}

// progress notes the end of a subscription.
func (w *watch) progress() {
	if w != nil {
		w.steps.Add(1)
	}
}

// crash ends the test's program: there is no way to end a goroutine that waits for a mutex.
func crash(b breach) { panic("streamtest: " + b.String()) }

// locked returns the stacks of the goroutines that wait for a lock, or all if there are none.
func locked() string {
	buffer := make([]byte, 1<<20)
	all := string(buffer[:runtime.Stack(buffer, true)])
	var waiting []string
	for stack := range strings.SplitSeq(all, "\n\n") {
		if header, _, _ := strings.Cut(stack, "\n"); strings.Contains(header, "Lock") {
			waiting = append(waiting, stack)
		}
	}
	if len(waiting) == 0 {
		return all
	}
	return strings.Join(waiting, "\n\n")
}

// goroutinesCreated returns how many there have been, or 0 if the runtime does not count them.
func goroutinesCreated() uint64 {
	sample := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
