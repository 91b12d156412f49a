package cache

import (
	"context"
	"errors"
)

// A Store keeps one sealed configuration. File is a Store.
//
// A Cache makes its calls one at a time, each on a goroutine of its own. The context of a call ends 10 s after
// the call began, or earlier: that of Load when its subscription ends, that of Save with the context given to
// Cache.Save. The last Save has that end alone, and no limit of 10 s. A Store should return when the context ends.
//
// If a Store also has the method
//
//	SetAside(ctx context.Context) error
//
// the Cache calls it once before the first Save after a Load whose data can't be used, which is when the error matches
// ErrDamaged, ErrForeign, ErrVersion or ErrTooLarge. Until then the data stays: a wrong key, which the server rejects,
// leads to no Save and loses nothing. The method may keep the data for people to look at. Its context ends after
// 10 s, or earlier with the context given to Cache.Save. If it fails, the Save overwrites the data.
type Store interface {
	// Load returns the data of the last Save. The error matches fs.ErrNotExist if there is none. The caller
	// does not modify the data.
	Load(ctx context.Context) ([]byte, error)
	// Save replaces the data in one step: after a crash, the Store holds either the old or the new data.
	// It may keep data, which nobody modifies afterwards.
	Save(ctx context.Context, data []byte) error
}

// Reasons why a saved configuration is not used; see Stats.LoadErr.
var (
	// ErrDamaged reports data that this package did not save, or that was changed afterwards.
	ErrDamaged = errors.New("cache: not a saved configuration, or a damaged one")
	// ErrForeign reports data that was saved under another auto-configuration key, such as the one before a
	// rotation.
	ErrForeign = errors.New("cache: configuration saved under another key")
	// ErrVersion reports data in a format that this version of the package can't read.
	ErrVersion = errors.New("cache: configuration saved in an unknown format")
	// ErrTooLarge reports data beyond the limit of a File, when it is loaded or saved.
	ErrTooLarge = errors.New("cache: configuration larger than the limit")
)

// ErrNotSaved is what Cache.Save returns if it ends with a configuration that is not saved. The error also matches
// the reason.
var ErrNotSaved = errors.New("cache: the last configuration is not saved")
