package autoconfig

import (
	"context"
	"errors"
)

// A Cache keeps one configuration from one run of the program to the next, so that a client has
// something to go by while the server can't be reached; see Options.Cache. FileCache is one; another
// may keep the data in a database.
//
// The data is sealed: encrypted and authenticated under a key derived from the auto-configuration key.
// A Cache need not keep it secret nor check it, and has no use for what is in it.
//
// Both methods are called on a goroutine of the client's, one at a time. The client does not wait for
// them, except for the last Save when it is closed, and that not for long. Their contexts end after
// 10 s, and that of Load at the server's first message, or when the client is closed. A call that ignores
// the end of its context holds up nothing but the calls that would follow, and may be under way still
// when Client.Close has returned.
//
// If a Cache also has the method
//
//	SetAside(ctx context.Context) error
//
// it is called after a Load, with the same context rules, if the data can't be used for one of the
// reasons ErrCacheDamaged, ErrCacheForeign, ErrCacheVersion and ErrCacheTooLarge, and may keep the data
// for people to look at. What is not set aside is overwritten by the next Save.
type Cache interface {
	// Load returns the data saved last. The error matches fs.ErrNotExist if there is none. The data is
	// not modified.
	Load(ctx context.Context) ([]byte, error)
	// Save replaces the data, so that a crash leaves either the former or the new one. The data is
	// the callee's to keep.
	Save(ctx context.Context, data []byte) error
}

// Reasons for which a saved configuration is not used; see CacheStats.LoadErr.
var (
	// ErrCacheDamaged is the reason for data that was not saved by this library, or changed since.
	ErrCacheDamaged = errors.New("autoconfig: cache: not a saved configuration, or a damaged one")
	// ErrCacheForeign is the reason for data that was saved under another auto-configuration key: the
	// one from before a rotation, for example.
	ErrCacheForeign = errors.New("autoconfig: cache: configuration saved under another key")
	// ErrCacheVersion is the reason for data in a format that this version of the library can't read.
	ErrCacheVersion = errors.New("autoconfig: cache: configuration saved in an unknown format")
	// ErrCacheTooLarge is what a FileCache returns for data beyond its limit.
	ErrCacheTooLarge = errors.New("autoconfig: cache: configuration larger than the limit")
)

// CacheStats tells how a client's cache fares.
type CacheStats struct {
	// Loaded tells that the client began with a saved configuration.
	Loaded bool
	// LoadErr is why there was none to begin with: what Load returned, or one of the errors above. It
	// is nil if nothing had been saved, and if the server was quicker.
	LoadErr error
	// Saves counts the configurations saved, and Failures those that could not be.
	Saves, Failures uint64
	// SaveErr is why the last one could not be saved; nil if it was.
	SaveErr error
}
