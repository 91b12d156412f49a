package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
)

// people returns an environment as people name theirs. One in 25 has a name that JSON escapes.
func people(rng *rand.Rand, version int) EnvironmentRep {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4000-8000-%012x", rng.Uint32(), rng.IntN(1<<16), rng.Int64N(1<<48))
	}
	project := pick("Web Shop", "Payments API", "Müller GmbH – Kasse", "モバイル", "ios_app 2.0", "O'Neill", "Größe/Maße", "checkout (legacy)")
	if rng.IntN(25) == 0 {
		project = pick("Search & Browse", `The "new" one`, "A<B")
	}
	e := EnvironmentRep{
		EnvID: EnvironmentID(fmt.Sprintf("%08x%016x", rng.Uint32(), rng.Uint64())), EnvKey: pick("production", "staging", "test", "dev-1"),
		EnvName: pick("Production", "Staging", "Test", "Développement 🚀"), ProjKey: pick("default", "web-shop", "payments.api"), ProjName: project,
		SDKKey: SDKKeyRep{Value: SDKKey("sdk-" + uuid())}, MobKey: MobileKey("mob-" + uuid()),
		DefaultTTL: rng.IntN(10), SecureMode: rng.IntN(2) == 0, Version: version,
	}
	switch rng.IntN(10) {
	case 0:
		e.SDKKey.Expiring = ExpiringKeyRep{Value: SDKKey("sdk-" + uuid()), Timestamp: 1_800_000_000_000}
	case 1:
		at := int64(1_800_000_000_000)
		e.SDKKeys = []ConcurrentKeyRep[SDKKey]{{Key: "default", Value: e.SDKKey.Value}, {Key: "previous", Value: SDKKey("sdk-" + uuid()), Expiry: &at}}
		e.MobileKeys = []ConcurrentKeyRep[MobileKey]{{Key: "default", Value: e.MobKey, HasViews: true}}
	}
	return e
}

// TestFastPathIsTaken by whatever a service that writes compact JSON may say, unless JSON escapes
// something in it. Nobody would notice otherwise but for the time that it takes.
func TestFastPathIsTaken(t *testing.T) {
	const messages = 5000
	rng := rand.New(rand.NewPCG(1, 2))
	put := PutMessageData{Path: "/", Data: PutContent{Environments: map[EnvironmentID]EnvironmentRep{}}}
	d := newDecoder(nil)
	fast := 0
	for version := range messages {
		e := people(rng, 1+version)
		put.Data.Environments[e.EnvID] = e
		path := "/environments/" + string(e.EnvID)
		patch := encoded(t, PatchMessageData{Path: path, Data: e})
		_, taken := d.fastPatch(patch)
		if escaped := bytes.Contains(patch, []byte(`\`)); taken == escaped {
			t.Errorf("taken: %t, by %s", taken, patch)
		}
		if taken {
			fast++
		}
		if _, taken := d.fastDelete(encoded(t, DeleteMessageData{Path: path, Version: version})); !taken {
			t.Error("not taken by a deletion")
		}
	}
	if _, taken := d.fastPut(encoded(t, put)); !taken {
		t.Error("not taken by the put")
	}
	t.Logf("taken by %.1f %% of the patches", 100*float64(fast)/messages)
}

func encoded(t *testing.T, message any) []byte {
	t.Helper()
	data, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
