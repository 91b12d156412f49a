package params_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/params"
)

// TestConverter changes a few environments. The parameters must be those of the function OfEnvironment.
func TestConverter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c params.Converter
		known := map[decode.EnvironmentID]*decode.EnvironmentRep{}
		key := rapid.SampledFrom([]decode.SDKKey{"k1", "k2"})
		for range 10 {
			id := rapid.SampledFrom([]decode.EnvironmentID{"a", "b"}).Draw(t, "id")
			before := known[id]
			e := &decode.EnvironmentRep{EnvID: id}
			if before != nil {
				*e = *before // shares its lists
			}
			switch rapid.IntRange(0, 6).Draw(t, "change") {
			case 0:
				e.SDKKey.Value = key.Draw(t, "key")
			case 1:
				e.MobKey = decode.MobileKey(key.Draw(t, "mobile key"))
			case 2:
				e.SDKKeys = nil
				for _, k := range rapid.SliceOfN(key, 0, 2).Draw(t, "keys") {
					e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[decode.SDKKey]{Value: k, Expiry: &at})
				}
			case 3:
				e.MobileKeys = slices.Repeat([]decode.ConcurrentKeyRep[decode.MobileKey]{{Value: "k1", Expiry: &at}}, rapid.IntRange(0, 2).Draw(t, "mobile keys"))
			case 4:
				e.Lingering = slices.Repeat([]decode.ExpiringKeyRep{{Value: "old", Timestamp: at}}, rapid.IntRange(0, 1).Draw(t, "lingering"))
			case 5:
				c.Forget(id)
			}
			if d := cmp.Diff(params.OfEnvironment(e), c.OfEnvironment(e)); d != "" {
				t.Fatalf("want -, got +:\n%s", d)
			}
			known[id] = e
		}
	})
}

// TestConverterShares: what does not change is neither allocated nor copied.
func TestConverterShares(t *testing.T) {
	e := decode.EnvironmentRep{
		EnvID: "e", SDKKey: decode.SDKKeyRep{Value: "k1"}, MobKey: "m1",
		SDKKeys:    sdkKeys{{Value: "k1"}, {Value: "k2"}},
		MobileKeys: mobileKeys{{Value: "m1"}},
	}
	var c params.Converter
	before := c.OfEnvironment(&e)
	e.EnvName = "other"
	var after params.Environment
	if n := testing.AllocsPerRun(100, func() { after = c.OfEnvironment(&e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if &after.AcceptedSDKKeys[0] != &before.AcceptedSDKKeys[0] || &after.AcceptedMobileKeys[0] != &before.AcceptedMobileKeys[0] {
		t.Error("the slices are not shared")
	}
	c.OfEnvironment(&decode.EnvironmentRep{EnvID: "e"})
	if after := c.OfEnvironment(&e); &after.AcceptedSDKKeys[0] == &before.AcceptedSDKKeys[0] {
		t.Error("the keys of an environment that had none in between were kept")
	}
}
