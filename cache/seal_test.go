package cache

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig/decode"
)

const sealTestText = `{"path":"/","data":{"environments":{"e1":{"envID":"e1","sdkKey":{"value":"sdk-secret"},"version":3}}}}`

// golden is a configuration as the first release that could has saved it.
func golden(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/snapshot1.hex")
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFormatIsStable: what one version of the package saves, the next ones must be able to load.
func TestFormatIsStable(t *testing.T) {
	m, err := New(&memoryStore{t: t, data: golden(t)}, nil).Load(under(testKey)).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expiry := int64(4102444800001)
	want := &decode.Listing{
		Environments: []decode.EnvironmentEntry{
			{ID: "e1", Version: 3, Rep: &decode.EnvironmentRep{
				EnvID: "e1", EnvKey: "production", EnvName: "Production <&> \u2028 \"quoted\" \x01", ProjKey: "p", ProjName: "Pröject",
				SDKKey: decode.SDKKeyRep{Value: "sdk-e1", Expiring: decode.ExpiringKeyRep{Value: "sdk-old", Timestamp: 4102444800000}},
				MobKey: "mob-e1", DefaultTTL: 5, SecureMode: true, Version: 3,
			}},
			{ID: "e2", Version: 7, Rep: &decode.EnvironmentRep{
				EnvID: "e2", EnvKey: "k2", EnvName: "Two", ProjKey: "p", ProjName: "Pröject", SDKKey: decode.SDKKeyRep{Value: "sdk-e2"}, MobKey: "mob-e2",
				SDKKeys: []decode.ConcurrentKeyRep[decode.SDKKey]{
					{Key: "anchor", Value: "sdk-e2"}, {Key: "other", Value: "sdk-e2-other", Expiry: &expiry, HasViews: true},
				},
				MobileKeys: []decode.ConcurrentKeyRep[decode.MobileKey]{{Key: "m", Value: "mob-e2"}}, Version: 7,
			}},
		},
		Filters: []decode.FilterEntry{{ID: "f1", Version: 2, Rep: &decode.FilterRep{ProjKey: "p", FilterKey: "filter", Version: 2}}},
		Cached:  true,
	}
	if d := cmp.Diff(want, m.Put); d != "" {
		t.Error(d)
	}
	if got := len(sealed(t, testKey, []byte(sealTestText))) - len(sealTestText); got != sealCost {
		t.Errorf("sealing adds %d bytes", got)
	}
}

// TestSealedTwiceDiffers: equal snapshots must not be seen to be equal.
func TestSealedTwiceDiffers(t *testing.T) {
	a, b := sealed(t, testKey, []byte(sealTestText)), sealed(t, testKey, []byte(sealTestText))
	if bytes.Equal(a[saltStart:checkStart], b[saltStart:checkStart]) || bytes.Equal(a[sealStart:], b[sealStart:]) {
		t.Error("salt or ciphertext is the same")
	}
}

func TestUnsealRefusesWhatWasNotSealed(t *testing.T) {
	data := sealed(t, testKey, []byte(sealTestText))
	want := func(what, key string, data []byte, want error) {
		t.Helper()
		if plain, err := unseal(key, data); !errors.Is(err, want) || plain != nil {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	want("another key", testKey+"x", data, ErrForeign)
	want("no data", testKey, nil, ErrDamaged)
	want("plaintext", testKey, []byte(sealTestText), ErrDamaged)
	want("a byte more", testKey, append(slices.Clone(data), 0), ErrDamaged)
	for _, version := range []byte{0, sealVersion + 1, 255} {
		other := slices.Clone(data)
		other[len(sealMagic)] = version
		want("another version", testKey, other, ErrVersion)
		want("the beginning of another version", testKey, other[:len(sealMagic)+1], ErrVersion)
	}
	for n := range data {
		want("truncated", testKey, data[:n], ErrDamaged)
	}
	for bit := range 8 * len(data) {
		flipped := slices.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		expected := ErrDamaged
		switch at := bit / 8; {
		case at == len(sealMagic):
			expected = ErrVersion
		case at >= saltStart && at < sealStart:
			// Salt and check together are what tells the key.
			expected = ErrForeign
		}
		want("flipped bit", testKey, flipped, expected)
	}
}

// TestUnsealLeavesItsInputAlone, which belongs to the Store.
func TestUnsealLeavesItsInputAlone(t *testing.T) {
	data := sealed(t, testKey, []byte(sealTestText))
	before := slices.Clone(data)
	if _, err := unseal(testKey, data); err != nil || !bytes.Equal(data, before) {
		t.Error("modified", err)
	}
}
