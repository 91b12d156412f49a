package cache

import (
	"errors"

	"github.com/relaystream/autoconfig/internal/seal"
)

// sealFormat is the format of a sealed snapshot. Each has a salt of its own.
var sealFormat = seal.Format{Magic: "autoconfig-snapshot", Version: 1, Context: "github.com/relaystream/autoconfig snapshot 1"}

// sealSnapshot returns a snapshot encrypted under key.
func sealSnapshot(key string, snapshot []byte) ([]byte, error) {
	return seal.New(sealFormat, key).Seal(snapshot, "")
}

// unsealSnapshot returns what was sealed under key. It leaves data as it is. The errors are ErrDamaged, ErrForeign,
// ErrVersion, or one that is not about the data.
func unsealSnapshot(key string, data []byte) ([]byte, error) {
	snapshot, err := seal.New(sealFormat, key).Open(data, "")
	switch {
	case errors.Is(err, seal.ErrDamaged):
		err = ErrDamaged
	case errors.Is(err, seal.ErrForeign):
		err = ErrForeign
	case errors.Is(err, seal.ErrVersion):
		err = ErrVersion
	}
	return snapshot, err
}
