// Package keyring remembers the auto-configuration keys of connections. The saved configuration is sealed with them.
package keyring

import (
	"context"
	"sync"
	"sync/atomic"
)

// A Ring knows the key of the first attempt to connect, and that of the last one that succeeded. Its
// methods may be called concurrently. It holds keys in functions, so that no formatting shows them.
type Ring struct {
	once     sync.Once
	has      chan struct{} // closed when first is set
	firstKey func() string
	trying   atomic.Pointer[func() string]
	opened   atomic.Pointer[func() string]
}

// New returns a ring without keys.
func New() *Ring { return &Ring{has: make(chan struct{})} }

// Attempt records the key of an attempt that begins.
func (r *Ring) Attempt(key string) {
	held := func() string { return key }
	r.trying.Store(&held)
	r.once.Do(func() {
		r.firstKey = held
		close(r.has)
	})
}

// Opened records that the attempt has succeeded.
func (r *Ring) Opened() { r.opened.Store(r.trying.Load()) }

// First waits for the key of the first attempt. It returns context.Cause(ctx) if ctx ends before.
func (r *Ring) First(ctx context.Context) (string, error) {
	select {
	case <-r.has:
		return r.firstKey(), nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Current returns the key of the last attempt that succeeded, empty if none has.
func (r *Ring) Current() string {
	if held := r.opened.Load(); held != nil {
		return (*held)()
	}
	return ""
}
