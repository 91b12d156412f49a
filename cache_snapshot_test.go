package autoconfig

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// drawText returns a text that JSON must escape in part.
func drawText(t *rapid.T, label string) string {
	text := rapid.OneOf(rapid.StringN(0, 8, -1), rapid.StringMatching(`[ -~]{0,12}`)).Draw(t, label)
	return text
}

func drawKeys[K SDKKey | MobileKey](t *rapid.T, anchor K, label string) []decode.ConcurrentKeyRep[K] {
	var keys []decode.ConcurrentKeyRep[K]
	for i := range rapid.IntRange(0, 3).Draw(t, label) {
		k := decode.ConcurrentKeyRep[K]{Key: drawText(t, "name"), Value: K(fmt.Sprint(label, i)), HasViews: rapid.Bool().Draw(t, "views")}
		if rapid.Bool().Draw(t, "expires") {
			expiry := rapid.Int64Range(4e12, 5e12).Draw(t, "expiry") // far enough not to be pruned
			k.Expiry = &expiry
		}
		keys = append(keys, k)
	}
	if len(keys) > 0 {
		keys = append(keys, decode.ConcurrentKeyRep[K]{Value: anchor})
	}
	return keys
}

func drawEnvironment(t *rapid.T, id EnvironmentID) EnvironmentRep {
	e := EnvironmentRep{
		EnvID: id, EnvKey: drawText(t, "envKey"), EnvName: drawText(t, "envName"), ProjKey: drawText(t, "projKey"), ProjName: drawText(t, "projName"),
		MobKey:     MobileKey("mob-" + drawText(t, "mobKey")),
		DefaultTTL: rapid.Int().Draw(t, "ttl"), SecureMode: rapid.Bool().Draw(t, "secure"), Version: rapid.IntMin(0).Draw(t, "version"),
	}
	e.SDKKey.Value = SDKKey("sdk-" + drawText(t, "sdkKey"))
	if rapid.Bool().Draw(t, "expiring") {
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "old", Timestamp: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(4e12, 5e12)).Draw(t, "timestamp")}
	}
	e.SDKKeys = drawKeys(t, e.SDKKey.Value, "sdk")
	e.MobileKeys = drawKeys(t, e.MobKey, "mob")
	return e
}

// drawState returns a state that patches, deletes and expiries have made.
func drawState(t *rapid.T) *diff.State {
	state := diff.NewState(nil)
	ignore := func(Change) {}
	_ = state.Apply(context.Background(), &decode.Message{Kind: decode.Put, Put: new(decode.Listing)}, ignore)
	for range rapid.IntRange(0, 12).Draw(t, "messages") {
		id := rapid.OneOf(rapid.StringN(1, 3, -1), rapid.StringMatching(`[ab"\\/<}]`)).Draw(t, "id")
		kind := rapid.SampledFrom([]decode.Kind{decode.Patch, decode.Patch, decode.Patch, decode.Delete}).Draw(t, "kind")
		m := decode.Message{Kind: kind}
		if rapid.Bool().Draw(t, "environment") {
			e := drawEnvironment(t, EnvironmentID(id))
			m.Environment = decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: &e}
		} else {
			f := FilterRep{ProjKey: drawText(t, "projKey"), FilterKey: drawText(t, "key"), Version: rapid.IntMin(0).Draw(t, "version")}
			m.Filter = decode.FilterEntry{ID: FilterID(id), Version: f.Version, Rep: &f}
		}
		_ = state.Apply(context.Background(), &m, ignore)
	}
	return state
}

// checkSnapshot: sealed, opened and applied to an empty state, a snapshot makes the same state in the
// same order.
func checkSnapshot(t *rapid.T) {
	before := drawState(t).Snapshot()
	plain, err := encodeSnapshot(before, rapid.IntRange(0, 1000).Draw(t, "size"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := seal(sealTestKey, plain)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err = unseal(sealTestKey, data); err != nil {
		t.Fatal(err)
	}
	listing, err := decodeSnapshot(plain)
	if err != nil {
		t.Fatal(err)
	}
	before[len(before)-1].Cached = true // Synced
	if d := cmp.Diff(before, applied(listing), cmpopts.IgnoreUnexported(Change{})); d != "" {
		t.Fatal(d)
	}
}

// applied returns the snapshot of the state that a listing makes.
func applied(listing *decode.Listing) []Change {
	state := diff.NewState(nil)
	_ = state.Apply(context.Background(), &decode.Message{Kind: decode.Put, Put: listing}, func(Change) {})
	return state.Snapshot()
}

func TestSnapshotRoundTrip(t *testing.T) { rapid.Check(t, checkSnapshot) }

func FuzzSnapshot(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkSnapshot)) }

// BenchmarkCache has the cost of a save and a load of 10,000 environments, without the file.
func BenchmarkCache(b *testing.B) {
	var changes []Change
	for i := range 10_000 {
		id := fmt.Sprintf("%024x", i)
		e := &EnvironmentRep{
			EnvID: EnvironmentID(id), EnvKey: fmt.Sprint("env-", i%20), EnvName: fmt.Sprint("Environment ", i%20),
			ProjKey: fmt.Sprint("project-", i/20), ProjName: fmt.Sprint("Project ", i/20),
			MobKey: MobileKey("mob-00000000-0000-0000-0000-" + id[12:]), Version: i,
		}
		e.SDKKey.Value = SDKKey("sdk-00000000-0000-0000-0000-" + id[12:])
		changes = append(changes, Change{Kind: EnvironmentAdded, New: e})
	}
	plain, err := encodeSnapshot(changes, 0)
	if err != nil {
		b.Fatal(err)
	}
	data, err := seal(sealTestKey, plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			_, _ = encodeSnapshot(changes, len(plain))
		}
	})
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_, _ = seal(sealTestKey, plain)
		}
	})
	b.Run("write", func(b *testing.B) {
		f := &FileCache{Path: b.TempDir() + "/cache"}
		for b.Loop() {
			if err := f.Save(b.Context(), data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unseal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_, _ = unseal(sealTestKey, data)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			_, _ = decodeSnapshot(plain)
		}
	})
}
