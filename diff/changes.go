package diff

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// backlog is how many changes may wait for the subscriber of Changes before the messages have to.
const backlog = 256

// Changes scans messages into a versioned state and emits its changes. It is cold: each subscription
// has a state of its own. It ends as messages does; keys that would have expired later do not
// expire then. The options are copied at the call.
//
// Keys expire while no message arrives, so one goroutine of its own reads the messages, and another
// waits for the next expiry.
func Changes(messages stream.Observable[decode.Message], o *Options) stream.Observable[Change] {
	options := o.resolve()
	return func(ctx context.Context, yield func(Change) bool) error {
		ctx, cancel := context.WithCancel(ctx)
		state, changes := NewState(&options), stream.NewSubject[Change]()
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		// The subject calls the prefix when the subscription begins, so that no change precedes it.
		begin := func() []Change {
			running.Go(func() { changes.Close(state.Run(ctx, messages, changes.Update)) })
			return nil
		}
		return changes.Observe(stream.Block[Change](backlog), begin)(ctx, yield)
	}
}

// Run applies messages and the expiries that they announce to s until messages ends, and returns
// what that returns. Every access to s is made inside of a call of update, which must run the
// function that it is given, not concurrently with another access, and may wait afterwards; the
// Update method of a stream.Subject is one. An error from update ends Run with that error.
//
// Run calls update from two goroutines: that of its caller for messages, and one of its own, which
// has ended when Run returns, for expiries. Others may call Apply under the same rule meanwhile: the
// expiries that their messages announce are applied, too. A state is run only once.
func (s *State) Run(ctx context.Context, messages stream.Observable[decode.Message], update func(context.Context, func(emit func(Change))) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	t := &timekeeper{state: s, update: update, earlier: make(chan struct{}, 1)}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel(nil)
	running.Go(func() {
		if err := t.run(ctx); err != nil {
			cancel(err)
		}
	})

	var failed error
	var message decode.Message
	apply := func(emit func(Change)) { s.Apply(&message, emit) } // made once, so that a message costs no allocation
	err := messages(ctx, func(m decode.Message) bool {
		message = m
		failed = update(ctx, apply)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// recheck is how long the timekeeper relies on a timer: while the machine is suspended, or when its
// clock is set, timers do not follow the wall clock, by which keys expire.
const recheck = time.Minute

// A timekeeper expires the keys of a state when their time has come: one goroutine and one timer
// for all of them, and neither timer nor wake-up while there are none.
type timekeeper struct {
	state   *State
	update  func(context.Context, func(emit func(Change))) error
	next    atomic.Int64  // when the next key expires, in Unix ms; 0 if none will
	earlier chan struct{} // gets a token when next has become earlier
}

// arm notes when the next key expires. It is called inside of update.
func (t *timekeeper) arm() {
	next := int64(0)
	if expiry, ok := t.state.NextExpiry(); ok {
		next = expiry.UnixMilli()
	}
	if before := t.next.Load(); before != next {
		t.next.Store(next)
		if next != 0 && (before == 0 || next < before) {
			select {
			case t.earlier <- struct{}{}:
			default:
			}
		}
	}
}

func (t *timekeeper) run(ctx context.Context) error {
	expire := func(emit func(Change)) {
		t.state.timekeeper = t // from now on it hears of every message
		t.state.Expire(emit)
		t.arm()
	}
	// A state that is not new may have keys to expire.
	if err := t.update(ctx, expire); err != nil {
		return err
	}
	for {
		var timer <-chan time.Time
		if next := t.next.Load(); next != 0 {
			timer = time.After(min(time.UnixMilli(next).Sub(t.state.now()), recheck))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.earlier:
		case <-timer:
			if err := t.update(ctx, expire); err != nil {
				return err
			}
		}
	}
}
