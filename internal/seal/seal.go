// Package seal encrypts and authenticates what is kept outside of the process.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
)

// Reasons why Open returns nothing.
var (
	// ErrDamaged reports data that was not sealed, or that was changed afterwards.
	ErrDamaged = errors.New("seal: not sealed data, or damaged")
	// ErrForeign reports data that was sealed under another secret.
	ErrForeign = errors.New("seal: sealed under another secret")
	// ErrVersion reports data of another version of the format.
	ErrVersion = errors.New("seal: unknown version of the format")
	// ErrNoSecret reports an empty secret: what is sealed under it would be open to everybody.
	ErrNoSecret = errors.New("seal: empty secret")
)

// A Format tells one kind of sealed data from another. Sealed data is
//
//	magic, version | salt | check | nonce, ciphertext, tag
//	               | 32   | 16    | 12              16      bytes
//
// AES-256-GCM under a key that HKDF-SHA256 derives from the secret and the salt. The check is derived along with it,
// and tells another secret from damage. All that precedes the nonce is authenticated, too.
type Format struct {
	Magic   string
	Version byte
	Context string // HKDF's info
}

const (
	saltSize  = 32
	checkSize = 16
	nonceSize = 12
	tagSize   = 16

	perSalt    = 1 << 20 // so that no number of seals uses a key up
	maxOpening = 64      // derived keys that are kept to open data
)

// Cost is how many bytes longer sealed data is than the plaintext.
func (f Format) Cost() int { return f.header() + nonceSize + tagSize }

func (f Format) saltStart() int { return len(f.Magic) + 1 }

// header is the length of what precedes the nonce.
func (f Format) header() int { return f.saltStart() + saltSize + checkSize }

// A Sealer seals and opens data under one secret. The zero Sealer is not usable; New makes one. A Sealer is not safe
// for concurrent use.
type Sealer struct {
	format  Format
	secret  string
	sealing *derived // for the present salt
	sealed  int      // under the present salt
	opening map[[saltSize]byte]*derived
}

// derived is what follows from the secret and a salt.
type derived struct {
	header []byte // magic, version, salt and check
	aead   cipher.AEAD
}

// New returns a Sealer. What it seals begins with a salt of its own.
func New(f Format, secret string) *Sealer {
	return &Sealer{format: f, secret: secret, opening: make(map[[saltSize]byte]*derived)}
}

// Seal returns plain encrypted. Only an Open with the same context opens it. The error is ErrNoSecret, or that of a
// cryptographic module that refuses to work.
func (s *Sealer) Seal(plain []byte, context string) ([]byte, error) {
	if s.sealing == nil || s.sealed == perSalt {
		var salt [saltSize]byte
		_, _ = rand.Read(salt[:]) // never fails, by its documentation
		d, err := s.derive(salt)
		if err != nil {
			return nil, err
		}
		s.sealing, s.sealed = d, 0
	}
	s.sealed++
	header := s.sealing.header
	sealed := make([]byte, len(header), len(plain)+s.format.Cost())
	copy(sealed, header)
	return s.sealing.aead.Seal(sealed, nil, plain, append(header[:len(header):len(header)], context...)), nil
}

// Open returns what was sealed. It leaves sealed as it is. The errors are ErrDamaged, ErrForeign, ErrVersion,
// ErrNoSecret, or that of a cryptographic module that refuses to work.
func (s *Sealer) Open(sealed []byte, context string) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(s.format.Magic))
	switch {
	case !ok || len(rest) == 0:
		return nil, ErrDamaged
	case rest[0] != s.format.Version:
		return nil, ErrVersion
	case len(sealed) < s.format.Cost():
		return nil, ErrDamaged
	}
	d, err := s.opened([saltSize]byte(sealed[s.format.saltStart():]))
	if err != nil {
		return nil, err
	}
	header := sealed[:s.format.header()]
	if subtle.ConstantTimeCompare(d.header, header) == 0 {
		return nil, ErrForeign
	}
	plain, err := d.aead.Open(nil, nil, sealed[len(header):], append(header[:len(header):len(header)], context...))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// opened derives what opens data with the salt, unless it was derived before.
func (s *Sealer) opened(salt [saltSize]byte) (*derived, error) {
	if d := s.opening[salt]; d != nil {
		return d, nil
	}
	d, err := s.derive(salt)
	if err != nil {
		return nil, err
	}
	if len(s.opening) == maxOpening {
		clear(s.opening)
	}
	s.opening[salt] = d
	return d, nil
}

func (s *Sealer) derive(salt [saltSize]byte) (*derived, error) {
	if s.secret == "" {
		return nil, ErrNoSecret
	}
	const keySize = 32
	key, err := hkdf.Key(sha256.New, []byte(s.secret), salt[:], s.format.Context, keySize+checkSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key[:keySize])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	header := append([]byte(s.format.Magic), s.format.Version)
	header = append(append(header, salt[:]...), key[keySize:]...)
	return &derived{header: header, aead: aead}, nil
}
