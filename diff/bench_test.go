package diff

import (
	"context"
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
		entry.Rep.Version++
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
		if n := testing.AllocsPerRun(100, func() { m.Environment.Rep.Version++; _ = s.Apply(ctx, m, discard) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = s.Apply(ctx, m, discard) }); n != 0 {
			t.Errorf("%s, stale: %v allocations", name, n)
		}
	}
	// The slots of the entries, of environments and of filters, and functions.
	if n := testing.AllocsPerRun(100, func() { _ = s.Apply(ctx, put, discard) }); n > 6 {
		t.Errorf("a put that changes nothing: %v allocations", n)
	}
}

// A keyWork is work on an environment with keys that expire.
type keyWork struct {
	name string
	do   func()
	// allocs is how often do may allocate; negative if that is of no interest.
	allocs float64
}

// keyWorks has environments that use a number of SDK keys in turn. None of them expires meanwhile: the last one is
// in the single slot, and those before it linger.
func keyWorks(ctx context.Context) (works []keyWork) {
	for _, test := range []struct {
		keys                  int
		rotated, same, merged float64
	}{{2, 1, 0, 0}, {3, 5, 1, 0}, {100, 5, 1, -1}} {
		items := make([]decode.EnvironmentRep, test.keys)
		for i := range items {
			items[i] = rotating(0, decode.SDKKey(fmt.Sprint("key ", i+1)), decode.SDKKey(fmt.Sprint("key ", i)), 1<<50)
		}
		items[test.keys-1].SDKKey.Value = items[0].SDKKey.Expiring.Value
		s, version, last := NewState(nil), 0, 0
		m := &decode.Message{Kind: decode.Patch}
		patch := func(emit func(Change)) {
			version++
			item := &items[last%test.keys]
			item.Version = version
			m.Environment = decode.EnvironmentEntry{ID: "a", Version: version, Rep: item}
			_ = s.Apply(ctx, m, emit)
		}
		other := rotating(1, "new", "old", 1<<50)
		other.EnvID = "b" // so that the schedule is never empty
		_ = s.Apply(ctx, &decode.Message{Kind: decode.Patch, Environment: entry(other)}, discard)
		var all []Change
		for range 2 * test.keys {
			last++
			patch(func(c Change) { all = append(all, c) })
		}
		merged := all[test.keys]
		merged.several = true
		split := func() {
			for range merged.Split {
			}
		}
		name := func(what string) string { return fmt.Sprintf("%d keys, %s", test.keys, what) }
		works = append(works,
			keyWork{name("rotated"), func() { last++; patch(discard) }, test.rotated},
			keyWork{name("the same"), func() { patch(discard) }, test.same},
			keyWork{name("merged"), split, test.merged})
	}
	return works
}

// BenchmarkExpiringKeys is about an environment with a key that expires, or some that linger.
func BenchmarkExpiringKeys(b *testing.B) {
	for _, work := range keyWorks(b.Context()) {
		b.Run(work.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				work.do()
			}
		})
	}
}

// TestExpiringKeysAllocateLittle holds the usual work on them to what BenchmarkExpiringKeys shows.
func TestExpiringKeysAllocateLittle(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates, too")
	}
	for _, work := range keyWorks(t.Context()) {
		if n := testing.AllocsPerRun(100, work.do); work.allocs >= 0 && n > work.allocs {
			t.Errorf("%s: %v allocations, want at most %v", work.name, n, work.allocs)
		}
	}
}
