// Package streamtest holds observables to the contract that package stream states.
//
// One call of Test subscribes many times to fresh instances of an observable: to its end, stopping
// after each value, cancelling at each and while it waits, panicking in yield, and so on; and to one
// instance again, after each of these and in every order of two. It reports every breach with the
// number of the rule. Virtual time makes "promptly" and "gone" exact:
// a subscription that was told to stop must have returned before the clock moved, and then nothing
// that it started may be left. (A goroutine that is left blocked for good is reported with its
// stack, before testing/synctest panics because of it. Where nothing moves at all, as when it waits for
// a mutex that an earlier subscription has kept, no time passes, and Test panics after a minute.)
//
// A function of time.AfterFunc that is called after the end is found if the runtime counts goroutines,
// as that of Go 1.26 does, and if no other test makes some all the time.
package streamtest

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig/stream"
)

// Options says what the observable does besides yielding the values wanted. The zero value is a
// cold sequence that completes after the last of them.
type Options struct {
	// Err is the error with which the sequence ends, matched with errors.Is. With nil, the default,
	// it completes.
	Err error
	// Endless says that the sequence does not end after the values wanted, but waits or continues.
	Endless bool
	// Hot says that two subscriptions to one observable need not get the same values, as with a
	// channel. By default they must, even at the same time.
	Hot bool
	// Lossy says that the values depend on how fast they are taken, and that the observable's name
	// says so. By default a slow subscriber must get all of them.
	Lossy bool
	// RealTime runs without testing/synctest, for observables that wait for the world outside, such
	// as network connections. "Promptly" is then within a minute, so that a busy machine fails no test.
	RealTime bool
}

// Test runs every check as a subtest of t. newObservable is called for each subscription but those
// that share one on purpose, and must return an observable of the same sequence each time: want,
// compared with reflect.DeepEqual, and the end that the options say. Keep want short: many checks
// are made for each of its values. Nil options are the defaults. Test panics if newObservable is nil.
//
// Each check runs in a bubble of testing/synctest of its own, inside which newObservable is
// called. Channels and timers that the observable waits for must be made there.
func Test[T any](t *testing.T, newObservable func() stream.Observable[T], want []T, o *Options) {
	t.Helper()
	if newObservable == nil {
		panic("streamtest: Test without an observable")
	}
	s := &suite[T]{newObservable: newObservable, want: want, watch: &watch{patience: patienceStuck, found: crash}}
	if o != nil {
		s.Options = *o
	}
	for _, c := range s.checks() {
		passed := t.Run(c.name, func(t *testing.T) {
			if s.RealTime {
				report(t, s.run(c.check))
				return
			}
			defer s.watch.begin(c.name)()
			synctest.Test(t, func(t *testing.T) { report(t, s.run(c.check)) })
		})
		if !passed {
			return // What the next checks would find is likely to be the same fault.
		}
	}
}

// A breach is one observed violation of the contract.
type breach struct {
	// rule is the number of the rule in the comment of package stream; 0 says that the sequence
	// itself was not the one expected.
	rule int
	text string
}

func (b breach) String() string {
	if b.rule == 0 {
		return b.text
	}
	return fmt.Sprintf("rule %d: %s", b.rule, b.text)
}

func report(t *testing.T, breaches []breach) {
	t.Helper()
	for _, b := range breaches {
		t.Error(b)
	}
}
