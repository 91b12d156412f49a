package seal_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/relaystream/autoconfig/internal/seal"
)

const (
	secret = "rel-test-0000-1234"
	about  = "bucket/name"
	text   = "some text"
)

var format = seal.Format{Magic: "magic", Version: 1, Context: "test"}

// The parts of sealed data, by where they begin.
const (
	versionAt = len("magic")
	saltAt    = versionAt + 1
	nonceAt   = saltAt + 32 + 16
)

func sealed(t *testing.T) []byte {
	t.Helper()
	data, err := seal.New(format, secret).Seal([]byte(text), about)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSealedTwiceDiffers: equal plaintexts must not be seen to be equal, with one salt or with two.
func TestSealedTwiceDiffers(t *testing.T) {
	s := seal.New(format, secret)
	a, _ := s.Seal([]byte(text), about)
	b, _ := s.Seal([]byte(text), about)
	if bytes.Equal(a[nonceAt:], b[nonceAt:]) {
		t.Error("the ciphertext is the same")
	}
	if c := sealed(t); bytes.Equal(a[saltAt:nonceAt], c[saltAt:nonceAt]) || bytes.Equal(a[nonceAt:], c[nonceAt:]) {
		t.Error("another Sealer has the same salt or ciphertext")
	}
	if len(a) != len(text)+format.Cost() {
		t.Error(len(a), format.Cost())
	}
}

// TestOpen has one Sealer open what others have sealed, more often than it keeps derived keys.
func TestOpen(t *testing.T) {
	s := seal.New(format, secret)
	for range 200 {
		data := sealed(t)
		before := slices.Clone(data)
		for range 2 {
			if plain, err := s.Open(data, about); err != nil || string(plain) != text {
				t.Fatalf("%q, %v", plain, err)
			}
		}
		if !bytes.Equal(data, before) {
			t.Fatal("modified what belongs to the caller")
		}
	}
}

func TestOpenRefusesWhatWasNotSealed(t *testing.T) {
	data := sealed(t)
	want := func(what, secret, about string, data []byte, want error) {
		t.Helper()
		if plain, err := seal.New(format, secret).Open(data, about); !errors.Is(err, want) || plain != nil {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	want("another secret", secret+"x", about, data, seal.ErrForeign)
	want("no secret", "", about, data, seal.ErrNoSecret)
	want("another context", secret, about+"x", data, seal.ErrDamaged)
	want("no data", secret, about, nil, seal.ErrDamaged)
	want("plaintext", secret, about, bytes.Repeat([]byte(text), 20), seal.ErrDamaged)
	want("a byte more", secret, about, append(slices.Clone(data), 0), seal.ErrDamaged)
	for _, version := range []byte{0, 2, 255} {
		other := slices.Clone(data)
		other[versionAt] = version
		want("another version", secret, about, other, seal.ErrVersion)
		want("the beginning of another version", secret, about, other[:saltAt], seal.ErrVersion)
	}
	for n := range data {
		want("truncated", secret, about, data[:n], seal.ErrDamaged)
	}
	for bit := range 8 * len(data) {
		flipped := slices.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		expected := seal.ErrDamaged
		switch at := bit / 8; {
		case at == versionAt:
			expected = seal.ErrVersion
		case at >= saltAt && at < nonceAt:
			expected = seal.ErrForeign // salt and check together are what tells the secret
		}
		want("flipped bit", secret, about, flipped, expected)
	}
	if data, err := seal.New(format, "").Seal([]byte(text), about); !errors.Is(err, seal.ErrNoSecret) || data != nil {
		t.Error("sealed without a secret", err)
	}
}
