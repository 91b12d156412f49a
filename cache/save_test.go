package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/seal"
	"github.com/relaystream/autoconfig/stream"
)

// TestSavesAreASecondApart, however much changes, and the last configuration is among them.
func TestSavesAreASecondApart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, store := newSource(), &memoryStore{t: t}
		c := New(store, nil)
		r := s.save(t.Context(), c)
		for version := range 100 {
			s.set(state(environment("e1", version)))
			synctest.Wait()
			if version == 0 && len(store.times()) != 1 {
				t.Error("the first configuration is not saved at once")
			}
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		saves := store.times()
		for i := 1; i < len(saves); i++ {
			if gap := saves[i].Sub(saves[i-1]); gap != time.Second {
				t.Errorf("%v between two saves", gap)
			}
		}
		if len(saves) != 11 || s.looks != 11 || c.Stats() != (Stats{Saves: 11}) {
			t.Errorf("%d saves, %d snapshots, %+v in 10 s and at the end", len(saves), s.looks, c.Stats())
		}
		pass(time.Hour)
		if took, err := s.finish(r); err != nil || took != 0 || s.looks != 11 {
			t.Errorf("%v, after %v and %d snapshots; nothing had changed", err, took, s.looks)
		}
		if got := holds(t, testKey, store.data); got != "e1@99" {
			t.Error(got)
		}
	})
}

// TestTheEndSavesTheRest: completion cuts both pauses short.
func TestTheEndSavesTheRest(t *testing.T) {
	for name, onSave := range map[string]hook{"after a save": nil, "after a failed save": failing} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var log logbook
				s, store := newSource(), &memoryStore{t: t, onSave: onSave}
				r := s.save(t.Context(), New(store, log.report))
				s.set(state(environment("e1", 1)))
				synctest.Wait()
				store.onSave = nil
				s.set(state(environment("e1", 2), environment("e2", 1)))
				synctest.Wait()
				log.take()
				if took, err := s.finish(r); err != nil || took != 0 || log.take() != "saved" {
					t.Error(err, took)
				}
				if got := holds(t, testKey, store.data); got != "e1@2 e2@1" {
					t.Error(got)
				}
			})
		})
	}
}

// TestTheEndSavesWhatWasThereBefore: changes may begin after the configuration does.
func TestTheEndSavesWhatWasThereBefore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, store := newSource(), &memoryStore{t: t}
		s.set(state(environment("e1", 1)))
		r := s.save(t.Context(), New(store, nil))
		if _, err := s.finish(r); err != nil || len(store.saves) != 1 {
			t.Error(err, store.saves)
		}
	})
}

// TestSaveIsRepeated a minute after a failure, and after 10 s that a save may take.
func TestSaveIsRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log logbook
		var begun []time.Time
		s, store := newSource(), &memoryStore{t: t}
		store.onSave = func(ctx context.Context) error {
			switch begun = append(begun, time.Now()); len(begun) {
			case 1:
				return errBroken
			case 2:
				return obedient(ctx)
			}
			return nil
		}
		c := New(store, log.report)
		r := s.save(t.Context(), c)
		s.set(state(environment("e1", 1)))
		pass(time.Second)
		if stats := c.Stats(); stats.Failures != 1 || !errors.Is(stats.SaveErr, errBroken) {
			t.Errorf("%+v", stats)
		}
		pass(time.Minute + 10*time.Second)
		if stats := c.Stats(); stats.Failures != 2 || !errors.Is(stats.SaveErr, context.DeadlineExceeded) {
			t.Errorf("%+v", stats)
		}
		pass(time.Hour)
		if got := log.take(); got != "save failed, save failed, saved" || c.Stats() != (Stats{Saves: 1, Failures: 2}) {
			t.Errorf("%s, %+v", got, c.Stats())
		}
		if len(begun) != 3 || begun[1].Sub(begun[0]) != time.Minute || begun[2].Sub(begun[1]) != time.Minute+10*time.Second {
			t.Error(begun)
		}
		if _, err := s.finish(r); err != nil {
			t.Error(err)
		}
	})
}

// TestTheLastSaveIsNotHurried: a slow store gets the time that the context allows, whether its save began before or
// after the end.
func TestTheLastSaveIsNotHurried(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, before := range []time.Duration{-1, 0, 5 * time.Second} {
			s, store := newSource(), &memoryStore{t: t, onSave: func(ctx context.Context) error {
				select {
				case <-time.After(12 * time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}}
			c := New(store, nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			r := s.save(ctx, c)
			s.set(state(environment("e1", 1)))
			if before >= 0 {
				pass(before)
			}
			if took, err := s.finish(r); err != nil || took != 12*time.Second-max(before, 0) || c.Stats() != (Stats{Saves: 1}) {
				t.Errorf("begun %v before: %v after %v, %+v", before, err, took, c.Stats())
			}
			cancel()
		}
	})
}

// TestSlowStore: a save that takes 2 s holds up no change, and what changes meanwhile is saved next.
func TestSlowStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, store := newSource(), &memoryStore{t: t, onSave: slow(2 * time.Second)}
		r := s.save(t.Context(), New(store, nil))
		start := time.Now()
		for version := range 20 {
			s.set(state(environment("e1", version)))
			pass(100 * time.Millisecond)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("the changes took %v", took)
		}
		took, err := s.finish(r)
		if err != nil || took != 2*time.Second || len(store.saves) != 2 || holds(t, testKey, store.data) != "e1@19" {
			t.Errorf("%v after %v, saved at %v", err, took, store.saves)
		}
	})
}

// TestSaveEndsWithItsContext: at once, wherever it is, even if the store does not heed its own. What is not saved is
// reported, and nothing follows.
func TestSaveEndsWithItsContext(t *testing.T) {
	for _, test := range []struct {
		name     string
		onSave   func(release <-chan struct{}) hook
		finished bool // the changes have ended before
		events   string
		took     time.Duration
	}{
		{"in a save", func(<-chan struct{}) hook { return obedient }, false, "save failed", 0},
		{"in the last save", func(<-chan struct{}) hook { return obedient }, true, "save failed", 0},
		{"in a save that goes on", deaf, false, "save failed", grace},
		{"in a last save that goes on", deaf, true, "save failed", grace},
		{"in the pause after a failed save", func(<-chan struct{}) hook { return failing }, false, "save failed, save failed", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var log logbook
				release := make(chan struct{})
				s, store := newSource(), &memoryStore{t: t, onSave: test.onSave(release)}
				c := New(store, log.report)
				gone := errors.New("gone")
				ctx, cancel := context.WithCancelCause(t.Context())
				r := s.save(ctx, c)
				s.set(state(environment("e1", 1)))
				synctest.Wait()
				if test.finished {
					s.subject.Close(nil)
					synctest.Wait()
				}
				cancel(gone)
				took, err := r.end()
				if !errors.Is(err, ErrNotSaved) || !errors.Is(err, gone) || took != test.took {
					t.Errorf("%v after %v", err, took)
				}
				if got := log.take(); got != test.events || !errors.Is(c.Stats().SaveErr, gone) {
					t.Errorf("%s, %+v", got, c.Stats())
				}
				saves := len(store.times())
				stats := c.Stats()
				close(release)
				pass(time.Hour)
				if got := log.take(); got != "" || c.Stats() != stats || len(store.times()) > saves+1 {
					t.Errorf("afterwards: %s, %+v, %d saves", got, c.Stats(), len(store.times()))
				}
			})
		})
	}
}

// TestNothingBeginsAfterTheContext: a context that ends while the configuration is encoded, or has ended before.
func TestNothingBeginsAfterTheContext(t *testing.T) {
	for name, changes := range map[string][]diff.Change{"some": state(environment("e1", 1)), "none": state()} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var log logbook
				s, store := newSource(), &memoryStore{t: t, onSave: func(context.Context) error {
					t.Error("a save was begun")
					return nil
				}}
				c := New(store, log.report)
				ctx, cancel := context.WithCancel(t.Context())
				snapshot := func() []diff.Change {
					cancel()
					return s.snapshot()
				}
				s.set(changes)
				err := c.Save(ctx, stream.Just(diff.Change{}), snapshot, s.key)
				if !errors.Is(err, ErrNotSaved) || !errors.Is(err, context.Canceled) || c.Stats().Failures != 1 || log.take() != "save failed" {
					t.Errorf("%v, %+v", err, c.Stats())
				}
			})
		})
	}
}

// TestSaveWithoutAnythingToSave returns what the changes end with.
func TestSaveWithoutAnythingToSave(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log logbook
		s, store := newSource(), &memoryStore{t: t}
		c := New(store, log.report)
		r := s.save(t.Context(), c)
		s.subject.Close(errBroken)
		if _, err := r.end(); !errors.Is(err, errBroken) || errors.Is(err, ErrNotSaved) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		r = newSource().save(ctx, c)
		cancel(errBroken)
		if took, err := r.end(); !errors.Is(err, errBroken) || errors.Is(err, ErrNotSaved) || took != 0 {
			t.Error(err, took)
		}
		if log.take() != "" || len(store.saves) > 0 {
			t.Error("something was saved, or was not")
		}
	})
}

// TestChangesThatFail are a reason to save what they led to.
func TestChangesThatFail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, store := newSource(), &memoryStore{t: t, onSave: failing}
		r := s.save(t.Context(), New(store, nil))
		s.set(state(environment("e1", 1)))
		synctest.Wait()
		store.onSave = nil
		failed := errors.New("failed")
		s.subject.Close(failed)
		if _, err := r.end(); !errors.Is(err, failed) || len(store.saves) != 1 {
			t.Error(err, store.saves)
		}
	})
}

// TestNotSavedForOtherReasons: the context is not the only one.
func TestNotSavedForOtherReasons(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			onSave hook
			key    string
			want   error
		}{"the store": {failing, testKey, errBroken}, "no key": {nil, "", seal.ErrNoSecret}} {
			var log logbook
			s, store := newSource(), &memoryStore{t: t, onSave: test.onSave}
			s.rotate(test.key)
			r := s.save(t.Context(), New(store, log.report))
			s.set(state(environment("e1", 1)))
			synctest.Wait()
			if took, err := s.finish(r); !errors.Is(err, ErrNotSaved) || !errors.Is(err, test.want) || took != 0 {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			if got := log.take(); got != "save failed, save failed" || len(store.saves) > 0 {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}

// TestOnlyTheServersConfigurationIsSaved: neither a part of it, nor a saved one.
func TestOnlyTheServersConfigurationIsSaved(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		complete := state(environment("e1", 1))
		cached := state(environment("e1", 1))
		cached[len(cached)-1].Cached = true
		for _, test := range []struct {
			name    string
			changes []diff.Change
			saves   int
		}{{"nothing", nil, 0}, {"a part", complete[:1], 0}, {"a saved one", cached, 0}, {"all", complete, 1}, {"none", state(), 1}} {
			s, store := newSource(), &memoryStore{t: t}
			r := s.save(t.Context(), New(store, nil))
			s.set(test.changes)
			if test.changes == nil {
				s.set([]diff.Change{{Kind: diff.EnvironmentDeleted, Old: environment("e1", 1)}})
				s.set(nil)
			}
			pass(time.Minute)
			_, err := s.finish(r)
			if err != nil || len(store.saves) != test.saves {
				t.Errorf("%s: %v, %d saves", test.name, err, len(store.saves))
			}
		}
	})
}

// TestWhatTheStoreHoldsIsNotSavedAgain: what the server has confirmed, and what has changed and changed back.
func TestWhatTheStoreHoldsIsNotSavedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		first, second := state(environment("e1", 1)), state(environment("e1", 2))
		s, store := newSource(), &memoryStore{t: t, data: sealedState(t, testKey, first)}
		c := New(store, nil)
		if _, err := c.Load(under(testKey)).First(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := s.save(t.Context(), c)
		s.set(first)
		pass(time.Minute)
		if len(store.times()) != 0 {
			t.Error("the configuration that was loaded is saved")
		}
		s.set(second)
		pass(time.Minute)
		s.set(first)
		s.set(second)
		pass(time.Minute)
		if _, err := s.finish(r); err != nil || len(store.saves) != 1 {
			t.Error(err, store.saves)
		}
	})
}

// TestWhatTheStoreMayNotHoldIsSavedAgain: after a failure nobody knows what it holds, not even a store that lies.
func TestWhatTheStoreMayNotHoldIsSavedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		first, second := state(environment("e1", 1)), state(environment("e1", 2))
		s, store := newSource(), &memoryStore{t: t}
		c := New(liar{store}, nil)
		r := s.save(t.Context(), c)
		s.set(first)
		pass(time.Minute)
		store.onSave = failing
		s.set(second)
		synctest.Wait()
		store.onSave = nil
		s.set(first)
		pass(time.Minute)
		if _, err := s.finish(r); err != nil || holds(t, testKey, store.data) != "e1@1" || c.Stats() != (Stats{Saves: 2, Failures: 1}) {
			t.Errorf("%v, %s, %+v", err, holds(t, testKey, store.data), c.Stats())
		}
	})
}

// A liar saves and says that it failed.
type liar struct{ *memoryStore }

func (l liar) Save(ctx context.Context, data []byte) error {
	err := l.memoryStore.Save(ctx, data)
	if err != nil {
		l.data = data
	}
	return err
}

// TestAnotherKeyIsAReasonToSave the same configuration again: at the next change, or at the end.
func TestAnotherKeyIsAReasonToSave(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const second, third = "rel-second", "rel-third"
		changes := state(environment("e1", 1))
		s, store := newSource(), &memoryStore{t: t, data: sealedState(t, testKey, changes)}
		c := New(store, nil)
		if _, err := c.Load(under(testKey)).First(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.rotate(second)
		r := s.save(t.Context(), c)
		s.set(changes)
		pass(time.Minute)
		if got := holds(t, second, store.data); got != "e1@1" {
			t.Error("at a change:", got)
		}
		s.rotate(third)
		pass(time.Minute)
		if _, err := s.finish(r); err != nil || holds(t, third, store.data) != "e1@1" || len(store.saves) != 2 {
			t.Error("at the end:", err, store.saves)
		}
	})
}

// TestDeafStore: a save that has gone on beyond its time is given up, and holds up the next one until it returns.
func TestDeafStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log logbook
		release := make(chan struct{})
		s, store := newSource(), &memoryStore{t: t, onSave: deaf(release)}
		c := New(store, log.report)
		r := s.save(t.Context(), c)
		s.set(state(environment("e1", 1)))
		pass(10*time.Second + grace - 1)
		if got := log.take(); got != "" {
			t.Error("too early:", got)
		}
		pass(1)
		if got := log.take(); got != "save failed" || !errors.Is(c.Stats().SaveErr, context.DeadlineExceeded) {
			t.Error(got, c.Stats())
		}
		s.set(state(environment("e1", 2)))
		pass(time.Minute + 10*time.Second)
		if got := log.take(); got != "save failed" || !errors.Is(c.Stats().SaveErr, context.DeadlineExceeded) {
			t.Error(got, c.Stats())
		}
		close(release)
		pass(time.Minute)
		if got := log.take(); got != "saved" || holds(t, testKey, store.data) != "e1@2" || len(store.times()) != 2 {
			t.Error(got, store.times())
		}
		if _, err := s.finish(r); err != nil {
			t.Error(err)
		}
	})
}

// TestSaveAfterAPanic leaves nothing behind; the bubble would not end.
func TestSaveAfterAPanic(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newSource()
		s.set(state())
		defer func() {
			if recover() != errBroken {
				t.Error("no panic")
			}
		}()
		changed := stream.Concat(stream.Just(diff.Change{}), stream.Never[diff.Change]())
		_ = New(&memoryStore{t: t}, func(Event) { panic(errBroken) }).Save(t.Context(), changed, s.snapshot, s.key)
	})
}

// TestSavedTells how much there is.
func TestSavedTells(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log logbook
		s := newSource()
		changes := append([]diff.Change{{Kind: diff.FilterAdded, NewFilter: &diff.Filter{ID: "f1"}}}, state(environment("e1", 1), environment("e2", 1))...)
		r := s.save(t.Context(), New(&memoryStore{t: t}, log.report))
		s.set(changes)
		if _, err := s.finish(r); err != nil || len(log.events) != 1 || log.events[0] != (Event{Kind: Saved, Environments: 2, Filters: 1}) {
			t.Errorf("%v, %+v", err, log.events)
		}
	})
}
