package diff

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

const many = 10_000

// manyKeys is environment a with many keys that expire at the same time.
func manyKeys(version int, prefix string, at int64) decode.EnvironmentRep {
	keys := []decode.ConcurrentKeyRep[decode.SDKKey]{key("sdk-current", 0)}
	for i := range many {
		keys = append(keys, key(decode.SDKKey(fmt.Sprintf("sdk-%s-%08d", prefix, i*7919%many)), at))
	}
	return array(version, keys...)
}

// BenchmarkManyKeys is about one environment with 10,000 keys.
func BenchmarkManyKeys(b *testing.B) {
	first, second, third := manyKeys(1, "first", 2000), manyKeys(2, "second", 3000), manyKeys(3, "first", 4000)
	clock, state := int64(1000), NewState(nil)
	var all []Change
	emit := func(c Change) { all = append(all, c) }
	patch := func(e decode.EnvironmentRep) {
		_ = state.Apply(b.Context(), &decode.Message{Kind: decode.Patch, Environment: entry(e)}, emit)
	}
	// reset makes a new state and applies versions of the environment to it.
	reset := func(versions ...decode.EnvironmentRep) {
		clock, state, all = 1000, NewState(nil), nil
		state.now = func() time.Time { return time.UnixMilli(clock) }
		for _, e := range versions {
			patch(e)
		}
	}
	run := func(name string, prepare, f func()) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				prepare()
				b.StartTimer()
				f()
			}
		})
	}
	run("added", func() { reset() }, func() { patch(first) })
	run("expired at once", func() { reset(first); clock = 2000 }, func() { state.Expire(emit) })
	run("replaced by a patch", func() { reset(first) }, func() { patch(second) })
	reset(first, second, third)
	run("composed", func() {}, func() { _, _ = Compose(all[1], all[2]) })
	run("split", func() {}, func() {
		for range all[1].Split {
		}
	})
}

// TestManyKeys counts what 10,000 keys of one environment cost when they are announced, replaced by a patch and
// expire in one moment, while a subscriber is blocked: few changes, and memory in proportion to the keys.
func TestManyKeys(t *testing.T) {
	c := newConversation(t, Options{})
	c.state.options.Stale = nil
	first, second := manyKeys(1, "first", 2000), manyKeys(2, "second", 3000)
	var waiting []Change
	emit := func(change Change) { waiting = append(waiting, change) }
	patch := func(e decode.EnvironmentRep) {
		_ = c.state.Apply(t.Context(), &decode.Message{Kind: decode.Patch, Environment: entry(e)}, emit)
	}
	steps := []struct {
		name string
		do   func()
	}{
		{"announced", func() { patch(first) }},
		{"replaced", func() { patch(second) }},
		{"expired", func() { c.clock = 3000; c.state.Expire(emit) }},
	}
	for i, step := range steps {
		if mib := allocated(step.do); mib > 8 {
			t.Errorf("%s: %d MiB", step.name, mib)
		}
		if len(waiting) != i+1 {
			t.Fatalf("%s: %d changes", step.name, len(waiting))
		}
	}
	var all Change
	if mib := allocated(func() { all, _ = Compose(waiting[1], waiting[2]) }); mib > 0 {
		t.Errorf("composed: %d MiB", mib)
	}
	for _, change := range append(waiting[1:], all) {
		parts := 0
		if mib := allocated(func() {
			for part := range change.Split {
				if part.Kind == KeyExpired {
					parts++
				}
			}
		}); mib > 16 || parts != many {
			t.Errorf("%v: %d keys expired, %d MiB", change, parts, mib)
		}
	}
}

// allocated returns how much memory f allocates, in MiB.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// TestManyRotationsWait composes 10,000 rotations and the expiries that follow, for a subscriber that is blocked.
// The result is as small as one change.
func TestManyRotationsWait(t *testing.T) {
	c := newConversation(t, Options{})
	name := func(i int) decode.SDKKey { return decode.SDKKey(fmt.Sprint("k", i)) }
	c.patch(rotating(1, name(1), name(0), c.clock+1))
	c.log, c.changes = nil, nil
	for i := 2; i < many; i++ {
		c.patch(rotating(i, name(i), name(i-1), c.clock+1))
		c.at(c.clock + 1)
	}
	waiting := c.changes
	c.log = nil
	var all Change
	if n := testing.AllocsPerRun(1, func() { all, _ = foldOldest(waiting) }); n > 0 || all.Key != nil {
		t.Errorf("composing allocates %v times", n)
	}
	c.emit(all)
	c.want(fmt.Sprintf("updated a@1>a@%d", many-1), fmt.Sprintf("expired k0 of a at %d", c.clock))
}
