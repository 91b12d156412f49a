// Package tally has the counters of a client that are too busy to be part of its status.
package tally

import (
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/stamp"
)

// Counters count what a client has received. Their methods may be called concurrently. New makes them.
type Counters struct {
	Connections, Bytes, Events, Unusual atomic.Uint64
	LastRead, LastChange                *stamp.Stamp

	passing atomic.Bool // a message of a source is on its way to the subscribers
}

// New returns counters of nothing.
func New() Counters {
	lastRead := stamp.New()
	return Counters{LastRead: lastRead, LastChange: lastRead.Sibling()}
}

// Read records that n bytes were read.
func (c *Counters) Read(n int) {
	c.LastRead.Record()
	c.Bytes.Add(uint64(n))
}

// Passing records that a message of a source has arrived and is being passed on, or, if on is false, that it has
// been.
func (c *Counters) Passing(on bool) {
	if on {
		c.LastRead.Record()
	}
	c.passing.Store(on)
}

// PassingSince returns when the message arrived that is being passed on. If there is none, ok is false, and t is when
// something was last read.
func (c *Counters) PassingSince() (t time.Time, ok bool) {
	ok = c.passing.Load() // before the time, which Passing records first
	return c.LastRead.Last(), ok
}

// Changed records that the configuration changed, as of the last read: reading the clock costs more.
func (c *Counters) Changed(kind diff.Kind) {
	switch kind {
	case diff.Synced:
	case diff.KeyExpired:
		c.LastChange.Record()
	default:
		c.LastChange.RecordAs(c.LastRead)
	}
}
