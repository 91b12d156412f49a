package sse

import "time"

// maxRetry is the longest reconnection time that a server can set. A longer one would cut the client off
// for good, and a huge one would overflow a time.Duration.
const maxRetry = time.Hour

// A Session is what an event source remembers from one connection to the next. The zero value belongs
// to a source that has never connected.
//
// It is updated while a stream is read, also by blocks that dispatch no event. It is not safe for
// concurrent use: one subscription uses it at a time, and it can be read between subscriptions or by
// the subscription's yield function.
type Session struct {
	// LastEventID is the last event ID of the stream, empty if there is none. Set it to resume a stream
	// that an earlier process was reading.
	LastEventID string

	retry     time.Duration
	retrySeen bool
	huge      int // the length of the last event that was larger than hugeBuffer
}

// Retry returns the reconnection time that the server has set, between 0 and 1 h (longer ones are
// shortened), and whether it has set one.
func (s *Session) Retry() (d time.Duration, ok bool) { return s.retry, s.retrySeen }

func (s *Session) setRetry(d time.Duration) { s.retry, s.retrySeen = d, true }

// passed records what the block of e changed.
func (s *Session) passed(e *Event) {
	s.LastEventID = e.LastEventID
	if e.HasRetry {
		s.setRetry(e.Retry)
	}
}

// parseRetry reads the value of a retry field, in milliseconds. It accepts digits only.
func parseRetry(value []byte) (d time.Duration, ok bool) {
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		// At the maximum, the rest must still be checked to be digits.
		d = min(d*10+time.Duration(c-'0')*time.Millisecond, maxRetry)
	}
	return d, len(value) > 0
}
