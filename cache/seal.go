package cache

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
)

// A sealed snapshot is
//
//	magic, version | salt | check | nonce, ciphertext, tag
//	20 bytes       | 32   | 16    | 12              16
//
// AES-256-GCM under a key that HKDF-SHA256 derives from the auto-configuration key and the salt,
// which is new each time, so that no number of snapshots uses a key up. The check is derived along
// with it, and tells another key from damage. All that precedes the nonce is authenticated, too.
const (
	sealMagic   = "autoconfig-snapshot"
	sealVersion = 1
	sealContext = "github.com/relaystream/autoconfig snapshot 1" // HKDF's info

	saltStart  = len(sealMagic) + 1
	checkStart = saltStart + 32
	sealStart  = checkStart + 16
	sealCost   = sealStart + 12 + 16 // how much longer than the plaintext
)

// seal returns plain encrypted under key.
func seal(key string, plain []byte) ([]byte, error) {
	sealed := make([]byte, sealStart, len(plain)+sealCost)
	copy(sealed, sealMagic)
	sealed[len(sealMagic)] = sealVersion
	_, _ = rand.Read(sealed[saltStart:checkStart]) // never fails, by its documentation
	aead, check, err := derive(key, sealed[saltStart:checkStart])
	if err != nil {
		return nil, err
	}
	copy(sealed[checkStart:], check)
	return aead.Seal(sealed, nil, plain, sealed), nil
}

// unseal returns what was sealed under key. It leaves sealed as it is. The errors are ErrDamaged,
// ErrForeign, ErrVersion, or that of a cryptographic module that refuses to work.
func unseal(key string, sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(sealMagic))
	switch {
	case !ok || len(rest) == 0:
		return nil, ErrDamaged
	case rest[0] != sealVersion:
		return nil, ErrVersion
	case len(sealed) < sealCost:
		return nil, ErrDamaged
	}
	aead, check, err := derive(key, sealed[saltStart:checkStart])
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(check, sealed[checkStart:sealStart]) == 0 {
		return nil, ErrForeign
	}
	plain, err := aead.Open(nil, nil, sealed[sealStart:], sealed[:sealStart])
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

func derive(key string, salt []byte) (aead cipher.AEAD, check []byte, err error) {
	if key == "" {
		return nil, nil, errNoKey
	}
	const size = 32
	derived, err := hkdf.Key(sha256.New, []byte(key), salt, sealContext, size+sealStart-checkStart)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(derived[:size])
	if err != nil {
		return nil, nil, err
	}
	aead, err = cipher.NewGCMWithRandomNonce(block)
	return aead, derived[size:], err
}
