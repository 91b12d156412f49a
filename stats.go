package autoconfig

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Stats counts what a client has done since it was opened. Counting goes on whether or not anybody
// looks; see BenchmarkCounting for what that costs.
type Stats struct {
	// Status is the present status.
	Status Status
	// Attempts counts connection attempts, Connections those that led to a stream of events.
	Attempts, Connections uint64
	// Bytes counts what was read from the bodies of these, and Events the events in it.
	Bytes, Events uint64
	// Unusual counts the messages, and the environments of puts, in a form that takes more than ten times
	// as long to decode: see decode.Options.OnUnusual.
	Unusual uint64
	// LastRead is when something was last read from a connection, be it a comment; zero if nothing
	// was.
	LastRead time.Time

	// The following tell why attempts and connections have ended. Each that has, but for one that
	// was ended by Close or the client's context, counts in exactly one of them.

	// Reconnects counts those that the server asked to end.
	Reconnects uint64
	// Malformed counts those that were ended by a malformed event, or one that was too large.
	Malformed uint64
	// Refused counts those that were ended by an environment whose keys contradict each other.
	Refused uint64
	// Rejected counts those that were answered with 401 or 403, for the key.
	Rejected uint64
	// BadResponses counts those that were answered with another status than 200, a redirect that must
	// not be followed included, or with something other than an event stream.
	BadResponses uint64
	// TimedOut counts those that exceeded ConnectTimeout or IdleTimeout.
	TimedOut uint64
	// Ended counts those of which the server ended the response in good order.
	Ended uint64
	// Failed counts all others: the network failed, or Options.Key.
	Failed uint64

	// State counts messages and what became of them, and what there is now.
	State diff.Stats
	// Subscribers describes the present subscribers of the changes.
	Subscribers []stream.SubscriptionStats
	// Delivery adds up what the subscribers of the changes were given, past ones included.
	Delivery stream.SubscriptionStats
	// Cache tells how Options.Cache fares. What it loaded counts as a put in State.
	Cache CacheStats
}

// Stats returns what the client has counted up to now. It is not one moment's picture: counting goes
// on while the parts are put together.
func (c *Client) Stats() Stats {
	s := Stats{Status: c.board.get()}
	c.counters.read(&s)
	c.changes.View(func() { s.State = c.state.Stats() })
	s.Subscribers, s.Delivery = c.changes.Subscribers(), c.changes.Totals()
	s.Cache = c.keeper.read()
	return s
}

// counters are the parts of Stats that are counted outside of the state and the subjects.
type counters struct {
	opened                               time.Time
	attempts, connections, bytes, events atomic.Uint64
	unusual                              atomic.Uint64
	lastRead                             atomic.Int64 // in ns after opened; of no meaning while bytes is 0
	malformed, refused, reconnects       atomic.Uint64
	rejected, badResponses               atomic.Uint64
	timedOut, ended, failed              atomic.Uint64
}

// got counts what was read from a connection. The moment is kept as a duration, which fits an atomic
// integer and takes a reading of the monotonic clock alone.
func (c *counters) got(n int) {
	c.lastRead.Store(int64(time.Since(c.opened)))
	c.bytes.Add(uint64(n))
}

func (c *counters) lastReadAt() time.Time {
	if c.bytes.Load() == 0 {
		return time.Time{}
	}
	return c.opened.Add(time.Duration(c.lastRead.Load()))
}

// lost counts why an attempt or a connection has ended.
func (c *counters) lost(err error) {
	var malformed *decode.MalformedError
	var refused *decode.RefusedError
	var status *sse.StatusError
	var contentType *sse.ContentTypeError
	switch {
	case errors.Is(err, decode.ErrReconnect):
		c.reconnects.Add(1)
	case errors.As(err, &malformed), errors.Is(err, sse.ErrEventTooLarge):
		c.malformed.Add(1)
	case errors.As(err, &refused):
		c.refused.Add(1)
	case rejected(err):
		c.rejected.Add(1)
	case errors.As(err, &status), errors.As(err, &contentType), errors.Is(err, sse.ErrPlainHTTP):
		c.badResponses.Add(1)
	case errors.Is(err, sse.ErrIdle), errors.Is(err, sse.ErrConnectTimeout):
		c.timedOut.Add(1)
	case errors.Is(err, sse.ErrEndOfStream):
		c.ended.Add(1)
	default:
		c.failed.Add(1)
	}
}

func (c *counters) read(s *Stats) {
	s.Attempts, s.Connections = c.attempts.Load(), c.connections.Load()
	s.Bytes, s.Events, s.LastRead = c.bytes.Load(), c.events.Load(), c.lastReadAt()
	s.Unusual = c.unusual.Load()
	s.Reconnects, s.Malformed, s.Refused = c.reconnects.Load(), c.malformed.Load(), c.refused.Load()
	s.Rejected, s.BadResponses = c.rejected.Load(), c.badResponses.Load()
	s.TimedOut, s.Ended, s.Failed = c.timedOut.Load(), c.ended.Load(), c.failed.Load()
}
