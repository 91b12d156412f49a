package diff

import (
	"fmt"
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
