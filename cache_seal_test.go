package autoconfig

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	sealTestKey  = AutoConfigKey("rel-11111111-2222-sealing")
	sealTestText = `{"path":"/","data":{"environments":{"e1":{"envID":"e1","sdkKey":{"value":"sdk-secret"},"version":3}}}}`
)

func sealed(t testing.TB, plain string) []byte {
	t.Helper()
	data, err := seal(sealTestKey, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden is sealTestText as an earlier build has sealed it.
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

// TestSealedFormatIsStable: what one version of the library saves, the next ones must be able to read.
func TestSealedFormatIsStable(t *testing.T) {
	plain, err := unseal(sealTestKey, golden(t))
	if err != nil || string(plain) != sealTestText {
		t.Errorf("%v, %d bytes", err, len(plain))
	}
	if got := len(sealed(t, sealTestText)) - len(sealTestText); got != sealCost {
		t.Errorf("sealing adds %d bytes", got)
	}
}

// TestSealedTwiceDiffers: equal snapshots must not be seen to be equal.
func TestSealedTwiceDiffers(t *testing.T) {
	a, b := sealed(t, sealTestText), sealed(t, sealTestText)
	if bytes.Equal(a[saltStart:checkStart], b[saltStart:checkStart]) || bytes.Equal(a[sealStart:], b[sealStart:]) {
		t.Error("salt or ciphertext is the same")
	}
}

func TestUnsealRefusesWhatWasNotSealed(t *testing.T) {
	data := sealed(t, sealTestText)
	want := func(what string, key AutoConfigKey, data []byte, want error) {
		t.Helper()
		if plain, err := unseal(key, data); !errors.Is(err, want) || plain != nil {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	want("another key", sealTestKey+"x", data, ErrCacheForeign)
	want("no data", sealTestKey, nil, ErrCacheDamaged)
	want("plaintext", sealTestKey, []byte(sealTestText), ErrCacheDamaged)
	want("a byte more", sealTestKey, append(slices.Clone(data), 0), ErrCacheDamaged)
	for _, version := range []byte{0, sealVersion + 1, 255} {
		other := slices.Clone(data)
		other[len(sealMagic)] = version
		want("another version", sealTestKey, other, ErrCacheVersion)
		want("the beginning of another version", sealTestKey, other[:len(sealMagic)+1], ErrCacheVersion)
	}
	for n := range data {
		want("truncated", sealTestKey, data[:n], ErrCacheDamaged)
	}
	for bit := range 8 * len(data) {
		flipped := slices.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		expected := ErrCacheDamaged
		switch at := bit / 8; {
		case at == len(sealMagic):
			expected = ErrCacheVersion
		case at >= saltStart && at < sealStart:
			// Salt and check together are what tells the key.
			expected = ErrCacheForeign
		}
		want("flipped bit", sealTestKey, flipped, expected)
	}
}

// TestUnsealLeavesItsInputAlone, which belongs to the Cache.
func TestUnsealLeavesItsInputAlone(t *testing.T) {
	data := sealed(t, sealTestText)
	before := slices.Clone(data)
	if _, err := unseal(sealTestKey, data); err != nil || !bytes.Equal(data, before) {
		t.Error("modified", err)
	}
}

// FuzzCacheFile reads arbitrary data as a saved configuration, and as the content of one. Nothing but
// what was sealed with the key is accepted, and whatever that says is the same after it was saved again.
func FuzzCacheFile(f *testing.F) {
	genuine := golden(f)
	f.Add([]byte(nil))
	f.Add(genuine)
	f.Add(genuine[:sealCost])
	f.Add([]byte(sealTestText))
	f.Add([]byte(`{"path":"/","data":{"environments":{"a":{"envID":"b"},"c":null},"filters":{"f":{"version":-1}}}}`))
	f.Add([]byte(`{"path":"/x","data":{"environments":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := unseal(sealTestKey, data); err == nil && !bytes.Equal(data, genuine) {
			t.Error("what was not sealed was accepted")
		}
		plain, err := unseal(sealTestKey, sealed(t, string(data)))
		if err != nil || !bytes.Equal(plain, data) {
			t.Fatal("what was sealed was not accepted", err)
		}
		listing, err := decodeSnapshot(plain)
		if errors.Is(err, ErrCacheDamaged) == (listing != nil) || listing != nil && !listing.Cached {
			t.Fatal(listing, err)
		}
		if listing == nil {
			return
		}
		before := applied(listing)
		if plain, err = encodeSnapshot(before, 0); err != nil {
			t.Fatal(err)
		}
		if listing, err = decodeSnapshot(plain); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(before, applied(listing), cmpopts.IgnoreUnexported(Change{})); d != "" {
			t.Error(d)
		}
	})
}
