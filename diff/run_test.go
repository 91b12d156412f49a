package diff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// TestKeysExpireWhileNoMessageComes is about the timer: in virtual time, on the wall clock.
func TestKeysExpireWhileNoMessageComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		messages := make(chan decode.Message)
		changes, stop := Changes(stream.FromChan(messages), nil).Chan(ctx, 0)
		patch := func(e decode.EnvironmentRep) {
			messages <- decode.Message{Kind: decode.Patch, Environment: entry(e)}
			<-changes
		}
		at := func(d time.Duration) int64 { return start.Add(d).UnixMilli() }
		patch(rotating(1, "k2", "k1", at(time.Hour)))
		b := env("b", 1)
		b.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "k0", Timestamp: at(time.Minute)}
		patch(b)
		for _, want := range []struct {
			key   decode.SDKKey
			after time.Duration
		}{{"k0", time.Minute}, {"k1", time.Hour}} {
			c := <-changes
			if c.Kind != KeyExpired || c.Key.SDKKey != want.key || time.Since(start) != want.after {
				t.Errorf("%v after %v", c, time.Since(start))
			}
		}
		cancel()
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestTheWallClockCounts, which timers do not follow: while the machine is suspended they stand still, and
// when the clock is set they go on.
func TestTheWallClockCounts(t *testing.T) {
	for _, test := range []struct {
		name       string
		jump, want time.Duration // of a key that expires after an hour; the jump is after 10.5 minutes
	}{
		{"suspended past the expiry", 2 * time.Hour, 11 * time.Minute},
		{"suspended until shortly before", 45 * time.Minute, 15 * time.Minute},
		{"set back", -30 * time.Minute, 90 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { checkWallClock(t, test.jump, test.want) }) })
	}
}

func checkWallClock(t *testing.T, jump, want time.Duration) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 24*time.Hour, errDay)
	defer cancel()
	start := time.Now()
	state := NewState(nil)
	state.now = func() time.Time {
		if now := time.Now(); now.Sub(start) < 10*time.Minute+30*time.Second {
			return now
		}
		return time.Now().Add(jump)
	}
	e := rotating(1, "k2", "k1", start.Add(time.Hour).UnixMilli())
	messages := stream.Concat(stream.Just(decode.Message{Kind: decode.Patch, Environment: entry(e)}), stream.Never[decode.Message]())
	var mu sync.Mutex
	var expired []time.Duration
	wakeups := 0
	err := state.Run(ctx, func(_ context.Context, f func(func(Change))) error {
		mu.Lock()
		defer mu.Unlock()
		wakeups++
		f(func(c Change) {
			if c.Kind == KeyExpired {
				expired = append(expired, time.Since(start))
			}
		})
		return nil
	}, messages)
	if !errors.Is(err, errDay) || !slices.Equal(expired, []time.Duration{want}) || wakeups > 100 {
		t.Errorf("%v; expired after %v, want %v; %d wake-ups", err, expired, want, wakeups)
	}
}

// TestNoTimerWithoutKeys lets a day pass in which nothing may wake up.
func TestNoTimerWithoutKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 24*time.Hour, errDay)
		defer cancel()
		state := NewState(nil)
		wakeups := 0
		err := state.Run(ctx, func(_ context.Context, f func(func(Change))) error {
			wakeups++
			f(func(Change) {})
			return nil
		}, stream.Never[decode.Message]())
		if !errors.Is(err, errDay) || wakeups != 1 {
			t.Errorf("%v after %d wake-ups", err, wakeups)
		}
	})
}

// TestKeysOfAnotherSourceExpire applies a message past the messages that are run.
func TestKeysOfAnotherSourceExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 24*time.Hour, errDay)
		defer cancel()
		state, changes := NewState(nil), stream.NewSubject[Change]()
		go func() { changes.Close(state.Run(ctx, changes.Update, stream.Never[decode.Message]())) }()
		synctest.Wait()
		start := time.Now()
		e := rotating(1, "k2", "k1", start.Add(time.Hour).UnixMilli())
		err := changes.Update(ctx, func(emit func(Change)) {
			_ = state.Apply(ctx, &decode.Message{Kind: decode.Patch, Environment: entry(e)}, emit)
		})
		if err != nil {
			t.Fatal(err)
		}
		c, err := changes.Observe(stream.Block[Change](1), nil).First(ctx)
		if err != nil || c.Kind != KeyExpired || time.Since(start) != time.Hour {
			t.Errorf("%v, %v after %v", c, err, time.Since(start))
		}
		cancel()
		synctest.Wait()
	})
}

var errDay = errors.New("a day has passed")

func TestChangesKeepTheContract(t *testing.T) {
	listing := &decode.Listing{Environments: []decode.EnvironmentEntry{entry(env("a", 1)), entry(env("b", 1))}}
	put := decode.Message{Kind: decode.Put, Put: listing}
	patch := decode.Message{Kind: decode.Patch, Environment: entry(env("a", 2))}
	kinds := func(messages stream.Observable[decode.Message]) func() stream.Observable[Kind] {
		return func() stream.Observable[Kind] {
			return stream.Map(Changes(messages, nil), func(c Change) Kind { return c.Kind })
		}
	}
	want := []Kind{EnvironmentAdded, EnvironmentAdded, Synced, EnvironmentUpdated}
	messages := stream.Just(put, patch)
	t.Run("completing", func(t *testing.T) { streamtest.Test(t, kinds(messages), want, nil) })
	failing := stream.Concat(messages, stream.Fail[decode.Message](errDay))
	t.Run("failing", func(t *testing.T) {
		streamtest.Test(t, kinds(failing), want, &streamtest.Options{Err: errDay})
	})
	endless := stream.Concat(messages, stream.Never[decode.Message]())
	t.Run("endless", func(t *testing.T) {
		streamtest.Test(t, kinds(endless), want, &streamtest.Options{Endless: true})
	})
}

// TestRunSources: messages of several sources are applied; Run ends with the first source, and so do the others.
func TestRunSources(t *testing.T) {
	patch := func(id string) decode.Message {
		return decode.Message{Kind: decode.Patch, Environment: entry(env(id, 1))}
	}
	never := stream.Never[decode.Message]()
	after := func(d time.Duration, o stream.Observable[decode.Message]) stream.Observable[decode.Message] {
		return func(ctx context.Context, yield func(decode.Message) bool) error {
			select {
			case <-time.After(d):
				return o(ctx, yield)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	failed := errors.New("failed")
	for _, test := range []struct {
		name     string
		messages stream.Observable[decode.Message]
		more     []stream.Observable[decode.Message]
		want     error
		after    time.Duration
		applied  int
	}{
		{"the first completes", after(time.Minute, stream.Just(patch("a"))), []stream.Observable[decode.Message]{stream.Concat(stream.Just(patch("b")), never)}, nil, time.Minute, 2},
		{"the first fails", after(time.Minute, stream.Fail[decode.Message](failed)), []stream.Observable[decode.Message]{never, never}, failed, time.Minute, 0},
		{"another completes", after(time.Minute, stream.Just(patch("a"))), []stream.Observable[decode.Message]{stream.Just(patch("b")), stream.Just(patch("c"))}, nil, time.Minute, 3},
		{"another fails", never, []stream.Observable[decode.Message]{never, after(time.Second, stream.Fail[decode.Message](failed))}, failed, time.Second, 0},
		{"the context ends", never, []stream.Observable[decode.Message]{never}, errDay, 24 * time.Hour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 24*time.Hour, errDay)
				defer cancel()
				start, state, changes := time.Now(), NewState(nil), stream.NewSubject[Change]()
				err := state.Run(ctx, changes.Update, test.messages, test.more...)
				if err != test.want || time.Since(start) != test.after || state.Stats().Environments != test.applied {
					t.Errorf("%v after %v, %d environments", err, time.Since(start), state.Stats().Environments)
				}
			})
		})
	}
}

// TestRunStops: an error of update ends Run, and so does a context that ends in the middle of a put.
func TestRunStops(t *testing.T) {
	put := &decode.Listing{}
	for i := range 200 {
		put.Environments = append(put.Environments, entry(env(fmt.Sprint(i), 1)))
	}
	messages := stream.Concat(stream.Just(decode.Message{Kind: decode.Put, Put: put}), stream.Never[decode.Message]())
	for _, sources := range [][]stream.Observable[decode.Message]{{messages}, {stream.Never[decode.Message](), messages}} {
		var lock sync.Mutex
		refuse := func(_ context.Context, f func(func(Change))) error {
			lock.Lock()
			defer lock.Unlock()
			var refused error
			f(func(Change) { refused = errDay })
			return refused
		}
		if err := NewState(nil).Run(t.Context(), refuse, sources[0], sources[1:]...); err != errDay {
			t.Errorf("an update that fails ends it with %v", err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		emitted := 0
		interrupt := func(_ context.Context, f func(func(Change))) error {
			lock.Lock()
			defer lock.Unlock()
			f(func(Change) { emitted++; cancel(errDay) })
			return nil
		}
		if err := NewState(nil).Run(ctx, interrupt, sources[0], sources[1:]...); err != errDay || emitted > 100 {
			t.Errorf("interrupted after a change: %v after %d", err, emitted)
		}
	}
}

// TestSplitHeedsItsContext between the changes that one stands for.
func TestSplitHeedsItsContext(t *testing.T) {
	before, after := manyKeys(1, "first", 2000), array(2, key("sdk-current", 0))
	ctx, cancel := context.WithCancelCause(t.Context())
	seen := 0
	err := Split(stream.Just(Change{Kind: KeyExpired, Old: &before, New: &after}))(ctx, func(Change) bool {
		if seen++; seen == 7 {
			cancel(errDay)
		}
		return true
	})
	if err != errDay || seen != 7 {
		t.Errorf("%v after %d", err, seen)
	}
}
