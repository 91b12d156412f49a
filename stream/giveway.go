package stream

import (
	"context"
	"runtime"
	"time"
)

const (
	// headStart is the time after a subscription within which a source may have been ready from the
	// beginning, and its goroutine may only not have run yet.
	headStart = 20 * time.Millisecond
	// courtesy is how long giveWay waits for it.
	courtesy = 20 * time.Millisecond
	// turns is how often the others may run before.
	turns = 100
	// pause is how long giveWay sleeps at a time.
	pause = time.Microsecond
)

// giveWay waits until heard reports true, or for long enough that a source which is ready has been
// heard of. It returns when ctx ends.
//
// A clock that is exact, as in testing/synctest, goes on only when everybody waits: one pause tells
// that nobody is ready any more.
func giveWay(ctx context.Context, heard func() bool) {
	spin(turns, heard)
	begin := time.Now()
	for slept := time.Duration(0); !heard() && time.Since(begin) < courtesy; slept += pause {
		if slept > 0 && time.Since(begin) == slept || sleep(ctx, pause) != nil {
			return
		}
	}
}

// spin lets other goroutines run n times, or until heard reports true.
func spin(n int, heard func() bool) {
	for range n {
		if heard() {
			return
		}
		runtime.Gosched()
	}
}
