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
	first, second := manyKeys(1, "first", 2000), manyKeys(2, "second", 3000)
	third := manyKeys(3, "first", 4000)
	var all []Change
	state := func() (*conversation, func(Change)) {
		c := &conversation{clock: 1000, state: NewState(nil)}
		c.state.now = func() time.Time { return time.UnixMilli(c.clock) }
		all = nil
		return c, func(c Change) { all = append(all, c) }
	}
	patch := func(c *conversation, e decode.EnvironmentRep, emit func(Change)) {
		_ = c.state.Apply(b.Context(), &decode.Message{Kind: decode.Patch, Environment: entry(e)}, emit)
	}
	b.Run("added", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, emit := state()
			patch(c, first, emit)
		}
	})
	b.Run("expired at once", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			c, emit := state()
			patch(c, first, emit)
			b.StartTimer()
			c.clock = 2000
			c.state.Expire(emit)
		}
	})
	b.Run("replaced by a patch", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			c, emit := state()
			patch(c, first, emit)
			b.StartTimer()
			patch(c, second, emit)
		}
	})
	c, emit := state()
	patch(c, first, emit)
	patch(c, second, emit)
	patch(c, third, emit)
	b.Run("composed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = Compose(all[1], all[2])
		}
	})
	b.Run("split", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for range all[1].Split {
				n++
			}
			if n != many+1 {
				b.Fatal(n)
			}
		}
	})
}
