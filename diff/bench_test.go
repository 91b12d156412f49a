package diff

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/relaystream/autoconfig/decode"
)

// manyEnvironments is a configuration in which every twentieth environment has a key that will expire.
func manyEnvironments(n int) []decode.EnvironmentEntry {
	entries := make([]decode.EnvironmentEntry, n)
	for i := range entries {
		e := env(fmt.Sprintf("%024x", i), 1)
		e.SDKKey.Value = decode.SDKKey(fmt.Sprintf("sdk-%024x", i))
		if i%20 == 0 {
			e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "old-" + e.SDKKey.Value, Timestamp: 1 << 50}
		}
		entries[i] = decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: &e}
	}
	return entries
}

func discard(Change) {}

// BenchmarkPut applies a complete listing, and looks every environment up before it, as decoding does.
func BenchmarkPut(b *testing.B) {
	const n = 100_000
	entries := manyEnvironments(n)
	put := &decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: entries}}
	run := func(name string, state func() *State) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := state()
				for i := range entries {
					s.Environment([]byte(entries[i].ID))
				}
				_ = s.Apply(b.Context(), put, discard)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/environment")
		})
	}
	run("first", func() *State { return NewState(nil) })
	known := NewState(nil)
	_ = known.Apply(b.Context(), put, discard)
	run("unchanged", func() *State { return known })
	rand.Shuffle(n, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	run("unchanged, in another order", func() *State { return known })
}

// BenchmarkPatch applies patches of one environment after the other, of which a few have a key that will
// expire.
func BenchmarkPatch(b *testing.B) {
	entries := manyEnvironments(1000)
	s := NewState(nil)
	_ = s.Apply(b.Context(), &decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: entries}}, discard)
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	m, ctx := decode.Message{Kind: decode.Patch}, b.Context()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		entry := &entries[i%len(entries)]
		entry.Version++
		m.Environment = *entry
		s.Environment([]byte(entry.ID))
		_ = s.Apply(ctx, &m, discard)
	}
}

// TestPatchesAllocateNothing but for what is new: an environment without keys that expire, one whose keys stay the
// same, what is stale, and a put that changes nothing but for its list.
func TestPatchesAllocateNothing(t *testing.T) {
	s := NewState(nil)
	entries := manyEnvironments(100) // the first has a key that expires
	put := &decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: entries}}
	ctx := t.Context()
	_ = s.Apply(ctx, put, discard)
	for i, name := range []string{"a key that expires", "no key that expires"} {
		m := &decode.Message{Kind: decode.Patch, Environment: entries[i]}
		if n := testing.AllocsPerRun(100, func() { m.Environment.Version++; _ = s.Apply(ctx, m, discard) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = s.Apply(ctx, m, discard) }); n != 0 {
			t.Errorf("%s, stale: %v allocations", name, n)
		}
		entries[i].Version = m.Environment.Version
	}
	// The slots of the entries, of environments and of filters, and functions.
	if n := testing.AllocsPerRun(100, func() { _ = s.Apply(ctx, put, discard) }); n > 6 {
		t.Errorf("a put that changes nothing: %v allocations", n)
	}
}
