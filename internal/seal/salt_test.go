package seal

import (
	"bytes"
	"testing"
)

// TestSaltIsReplaced after perSalt seals.
func TestSaltIsReplaced(t *testing.T) {
	s := New(Format{Magic: "magic", Version: 1}, "secret")
	header := func() []byte {
		data, err := s.Seal(nil, "")
		if err != nil {
			t.Fatal(err)
		}
		return data[:s.format.header()]
	}
	first := header()
	s.sealed = perSalt - 1
	if !bytes.Equal(header(), first) {
		t.Error("replaced too early")
	}
	if next := header(); bytes.Equal(next, first) || !bytes.Equal(header(), next) {
		t.Error("not replaced, or for each seal")
	}
}
