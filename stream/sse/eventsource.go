package sse

import (
	"context"
	"fmt"
	"time"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/stream"
)

// FromEventSource is the events of a stream of package eventsource. It completes when the stream
// is closed, and ends with the first error from its Errors channel, wrapped. That stream goes on by
// itself, and a new subscription takes up where the last one ended; until then it waits, because it
// blocks on either channel, even in Close after an error that nobody receives. It belongs to
// whoever opened it: it is not closed here, and concurrent subscriptions share its events out.
//
// Package eventsource cannot tell a block without data, which should dispatch nothing, from one
// with empty data; what has neither a name nor data is skipped here. It reads lines of any length, has
// no limit on an event, and takes time in the square of the number of an event's data lines. A nil
// stream panics.
func FromEventSource(s *eventsource.Stream) stream.Observable[Event] {
	if s == nil {
		panic("sse: FromEventSource with a nil stream")
	}
	return func(ctx context.Context, yield func(Event) bool) error {
		failures := s.Errors // nil if the stream has an error handler
		for {
			if ctx.Err() != nil { // select would choose at random
				return context.Cause(ctx)
			}
			select {
			case <-ctx.Done():
			case err, ok := <-failures:
				if ok {
					return fmt.Errorf("sse: eventsource: %w", err)
				}
				failures = nil // Events is closed next
			case event, ok := <-s.Events:
				if !ok {
					return nil
				}
				if event.Event() == "" && event.Data() == "" {
					continue
				}
				if ctx.Err() == nil && !yield(fromEventSource(event)) {
					return nil
				}
			}
		}
	}
}

func fromEventSource(from eventsource.Event) Event {
	event := Event{Type: from.Event(), Data: []byte(from.Data()), LastEventID: from.Id()}
	if event.Type == "" {
		event.Type = defaultType
	}
	if e, ok := from.(eventsource.EventWithLastID); ok {
		event.LastEventID = e.LastEventID()
	}
	// It says 0 for none, and passes on what overflows or is negative.
	if e, ok := from.(interface{ Retry() int64 }); ok && e.Retry() > 0 {
		event.HasRetry = true
		event.Retry = time.Duration(min(e.Retry(), maxRetry.Milliseconds())) * time.Millisecond
	}
	return event
}
