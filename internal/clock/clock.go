// Package clock records moments cheaply.
package clock

import (
	"sync/atomic"
	"time"
)

// A Clock holds the moment that was recorded last, as a duration since its epoch: that fits an atomic
// integer, and recording it reads the monotonic clock alone. Its methods may be called concurrently.
type Clock struct {
	epoch time.Time
	ns    atomic.Int64 // 0 if nothing was recorded
}

// New returns a clock that has recorded nothing.
func New() *Clock { return &Clock{epoch: time.Now()} }

// Record records the present moment.
func (c *Clock) Record() { c.ns.Store(max(1, int64(time.Since(c.epoch)))) }

// RecordAs records the moment that other recorded last, which costs no reading of the clock, or the present
// moment if other recorded none.
func (c *Clock) RecordAs(other *Clock) {
	if ns := other.ns.Load(); ns != 0 {
		c.ns.Store(ns + int64(other.epoch.Sub(c.epoch)))
	} else {
		c.Record()
	}
}

// Last returns the moment recorded last, the zero time if there is none.
func (c *Clock) Last() time.Time {
	if ns := c.ns.Load(); ns != 0 {
		return c.epoch.Add(time.Duration(ns))
	}
	return time.Time{}
}
