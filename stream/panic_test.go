package stream_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig/stream"
)

// outbursts are what a callback may do instead of returning.
var outbursts = map[string]func(){"panics": func() { panic(errBoom) }, "exits": runtime.Goexit}

// survive calls f on a goroutine of its own, and waits until that is gone, however.
func survive(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f()
	}()
	<-done
}

// TestPolicyThatBursts: key and merge of a Coalesce that panic, or exit, at the value 13 spoil nothing
// for the others: a Block subscriber blocks as always, everybody gets everything, and it all adds up.
func TestPolicyThatBursts(t *testing.T) {
	for how, burst := range outbursts {
		at13 := func(v int) int {
			if v == 13 {
				burst()
			}
			return v
		}
		last := func(older, newer int) (int, stream.Place) { at13(newer); return newer, stream.AtNewer }
		for name, p := range map[string]stream.Policy[int]{
			"key":   stream.Coalesce(2, at13, func(_, newer int) (int, stream.Place) { return newer, stream.AtNewer }),
			"merge": stream.Coalesce(2, func(int) int { return 0 }, last),
			"key, unhashable": stream.Coalesce(2, func(v int) any {
				if v == 13 {
					return []int{v}
				}
				return v
			}, func(_, newer int) (int, stream.Place) { return newer, stream.AtNewer }),
		} {
			for before := range 6 { // what waits when it comes
				t.Run(name+" "+how, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { checkBurst(t, p, before, name != "merge") })
				})
			}
		}
	}
}

func checkBurst(t *testing.T, p stream.Policy[int], before int, lossless bool) {
	s := stream.NewSubject[int]()
	release := make(chan struct{})
	got := make([][]int, 3)
	for i, p := range []stream.Policy[int]{p, stream.Block[int](5), p} {
		go func() {
			_ = s.Observe(p, nil).ForEach(t.Context(), func(v int) error {
				<-release
				got[i] = append(got[i], v)
				return nil
			})
		}()
	}
	synctest.Wait()
	_ = s.Publish(t.Context(), -1)
	synctest.Wait() // everybody has that in hand
	want := []int{-1}
	ctx, cancel := context.WithCancel(t.Context())
	publish := func(v int) {
		want = append(want, v)
		survive(func() { _ = s.Publish(ctx, v) })
	}
	for v := range before {
		publish(v + 1)
	}
	if before < 5 {
		publish(13)
	}
	for len(want) < 6 {
		publish(len(want) + 100)
	}
	blocked := make(chan struct{})
	go func() {
		defer close(blocked)
		publish(200)
	}()
	synctest.Wait()
	select {
	case <-blocked:
		t.Error("a publisher did not wait for Block(5)")
	default:
	}
	var sum uint64
	for _, stats := range s.Subscribers() {
		sum += uint64(stats.Lag) + stats.Delivered + stats.Dropped + stats.Coalesced
	}
	if sum != uint64(3*len(want)) {
		t.Errorf("%d values are accounted for of %d: %+v", sum, 3*len(want), s.Subscribers())
	}
	close(release)
	<-blocked
	s.Close(nil)
	synctest.Wait()
	cancel()
	for i, values := range got {
		if i != 1 && !lossless {
			if values[len(values)-1] != 200 || !slices.IsSorted(slices.DeleteFunc(slices.Clone(values), func(v int) bool { return v == 13 })) {
				t.Errorf("subscriber %d: %v of %v", i, values, want)
			}
		} else if !slices.Equal(values, want) {
			t.Errorf("subscriber %d: %v, want %v", i, values, want)
		}
	}
	if !s.Forgetful() {
		t.Error("something is left")
	}
}

// TestCallbacksThatBurst: whatever function of a Subject or a Behavior does not return, it works on.
func TestCallbacksThatBurst(t *testing.T) {
	for how, burst := range outbursts {
		s, b := stream.NewSubject[int](), stream.NewBehavior(1)
		for name, f := range map[string]func(){
			"Update": func() { _ = s.Update(t.Context(), func(emit func(int)) { emit(1); burst() }) },
			"View":   func() { s.View(burst) },
			"prefix": func() {
				_, _ = s.Observe(stream.Policy[int]{}, func() []int { burst(); return nil }).Collect(t.Context())
			},
			"yield":           func() { _ = b.Observe(stream.Policy[int]{})(t.Context(), func(int) bool { burst(); return true }) },
			"Behavior.Update": func() { _ = b.Update(t.Context(), func(int) int { burst(); return 2 }) },
		} {
			survive(f)
			if n := len(s.Subscribers()) + len(b.Subscribers()); n != 0 || b.Get() != 1 || s.Publish(t.Context(), 1) != nil || !s.Forgetful() {
				t.Errorf("%s %s: %d subscribers, %d", name, how, n, b.Get())
			}
		}
	}
}
