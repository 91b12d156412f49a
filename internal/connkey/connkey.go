// Package connkey remembers the auto-configuration keys of connections. The saved configuration is sealed with them.
package connkey

import (
	"context"
	"sync"
	"sync/atomic"
)

// A History knows the key of the first attempt to connect, and that of the last one that succeeded. Its
// methods may be called concurrently. It holds keys in functions, so that no formatting shows them.
type History struct {
	once     sync.Once
	has      chan struct{} // closed when firstKey is set
	firstKey func() string
	trying   atomic.Pointer[func() string]
	opened   atomic.Pointer[func() string]
}

// New returns a history without keys.
func New() *History { return &History{has: make(chan struct{})} }

// Attempt records the key of an attempt that begins.
func (h *History) Attempt(key string) {
	held := func() string { return key }
	h.trying.Store(&held)
	h.once.Do(func() {
		h.firstKey = held
		close(h.has)
	})
}

// Opened records that the attempt has succeeded.
func (h *History) Opened() { h.opened.Store(h.trying.Load()) }

// First waits for the key of the first attempt. It returns context.Cause(ctx) if ctx ends before.
func (h *History) First(ctx context.Context) (string, error) {
	select {
	case <-h.has:
		return h.firstKey(), nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// Current returns the key of the last attempt that succeeded, empty if none has.
func (h *History) Current() string {
	if held := h.opened.Load(); held != nil {
		return (*held)()
	}
	return ""
}
