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

// Changes scans messages into a versioned state and emits its individual changes. It is cold: each
// subscription has a state of its own. It ends as messages does; keys that would have expired later do not
// expire then. The options are copied at the call.
//
// Keys expire while no message arrives, so one goroutine reads the messages, and another waits for the next
// expiry.
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
			running.Go(func() { changes.Close(state.Run(ctx, changes.Update, messages)) })
			return nil
		}
		return Split(changes.Observe(stream.Block[Change](backlog), begin))(ctx, yield)
	}
}

// An updater runs a function that uses a State, gives it a function that takes changes, and may wait
// afterwards. It runs one function at a time. Subject.Update of package stream is one.
type updater = func(ctx context.Context, f func(emit func(Change))) error

// Run applies to s the messages of several sources and the expiries of keys. It returns when messages ends, with the
// error of messages. The sources in more end then, too; one of them that completes earlier ends nothing,
// and one that fails ends Run with its error. A put that ctx interrupts ends Run with the context's cause.
//
// Run uses s only in functions that it passes to update. update must run the function, never while s is used
// elsewhere, and may wait afterwards. An error of update ends Run with that error. The Update method of a
// stream.Subject is such a function.
//
// Run reads messages on the caller's goroutine, and each of more on a goroutine of its own. One more goroutine
// waits for the next expiry. They have ended when Run returns. Run must be called only once. Apply may be called
// meanwhile under the same rule, and keys that its messages announce expire too.
func (s *State) Run(
	ctx context.Context, update func(ctx context.Context, f func(emit func(Change))) error,
	messages stream.Observable[decode.Message], more ...stream.Observable[decode.Message],
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	t := &timekeeper{state: s, update: update, earlier: make(chan struct{}, 1)}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel(nil)
	start := func(run func() error) {
		running.Go(func() {
			if err := run(); err != nil {
				cancel(err)
			}
		})
	}
	start(func() error { return t.run(ctx) })
	for _, source := range more {
		start(func() error { return s.consume(ctx, update, source) })
	}
	return s.consume(ctx, update, messages)
}

// consume applies the messages of one source.
func (s *State) consume(ctx context.Context, update updater, messages stream.Observable[decode.Message]) error {
	var message decode.Message
	var applied, failed error
	apply := func(emit func(Change)) { applied = s.Apply(ctx, &message, emit) } // made once, so that a message costs no allocation
	err := messages(ctx, func(m decode.Message) bool {
		message = m
		if failed = update(ctx, apply); failed == nil {
			failed = applied
		}
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
	update  updater
	next    atomic.Int64  // when the next key expires, in Unix ms; 0 if none will
	earlier chan struct{} // gets a token when next has become earlier
}

// arm records when the next key expires. It is called within update.
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
