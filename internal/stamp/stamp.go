// Package stamp records moments cheaply.
package stamp

import (
	"sync/atomic"
	"time"
)

// A Stamp holds the moment that was recorded last, as a duration since its epoch: that fits an atomic
// integer, and recording it reads the monotonic clock alone. Its methods may be called concurrently.
type Stamp struct {
	epoch time.Time
	ns    atomic.Int64 // 0 if nothing was recorded
}

// New returns a stamp that has recorded nothing.
func New() *Stamp { return &Stamp{epoch: time.Now()} }

// Record records the present moment.
func (s *Stamp) Record() { s.ns.Store(max(1, int64(time.Since(s.epoch)))) }

// Sibling returns a stamp that has recorded nothing, and can record what s has.
func (s *Stamp) Sibling() *Stamp { return &Stamp{epoch: s.epoch} }

// RecordAs records the moment that a sibling recorded last, which costs no reading of the clock, or the present
// moment if that recorded none.
func (s *Stamp) RecordAs(sibling *Stamp) {
	switch ns := sibling.ns.Load(); ns {
	case 0:
		s.Record()
	case s.ns.Load(): // usually: loading takes less time than storing
	default:
		s.ns.Store(ns)
	}
}

// Last returns the moment recorded last, the zero time if there is none.
func (s *Stamp) Last() time.Time {
	if ns := s.ns.Load(); ns != 0 {
		return s.epoch.Add(time.Duration(ns))
	}
	return time.Time{}
}
