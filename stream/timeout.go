package stream

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// ErrTimeout is the error of Timeout.
var ErrTimeout = errors.New("stream: timeout")

// Timeout fails with ErrTimeout when o needs more than d, which must be positive, for its first value,
// for the next one, or for its end; it then cancels the context of o, and returns when o does: a
// FromSeq that waits inside its iterator is not interrupted. The time during which yield runs does not
// count.
//
//	o  ──1──2─────────3──|
//	d  ──1──2─────✗
//
// Concurrency: a timer's goroutine cancels the context of o; see watchdog.
func Timeout[T any](o Observable[T], d time.Duration) Observable[T] {
	need(o != nil, "Timeout")
	positive(d, "Timeout")
	return func(ctx context.Context, yield func(T) bool) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		w := startWatchdog(d, func() { cancel(ErrTimeout) })
		defer w.pause()
		stopped, expired := false, false
		err := o(ctx, func(v T) bool {
			if expired = !w.pause(); expired {
				return false
			}
			if stopped = !yield(v); stopped {
				return false
			}
			w.resume()
			return true
		})
		if stopped || err == nil && !expired {
			return nil
		}
		return cmp.Or(context.Cause(ctx), err)
	}
}

// A watchdog barks once it has not been paused for d.
//
// Concurrency: bark runs on the timer's goroutine, everything else on the subscriber's. pause waits
// for a bark that has begun, so that none is under way when its caller goes on.
type watchdog struct {
	d       time.Duration
	timer   *time.Timer
	running bool
	barked  chan struct{}
}

func startWatchdog(d time.Duration, bark func()) *watchdog {
	w := &watchdog{d: d, running: true, barked: make(chan struct{})}
	w.timer = time.AfterFunc(d, func() {
		bark()
		close(w.barked)
	})
	return w
}

// pause reports whether it came before the bark.
func (w *watchdog) pause() bool {
	if w.running && !w.timer.Stop() {
		<-w.barked
		return false
	}
	w.running = false
	return true
}

func (w *watchdog) resume() {
	w.running = true
	w.timer.Reset(w.d)
}
