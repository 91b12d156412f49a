package sse

import (
	"context"
	"fmt"
	"time"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/stream"
)

// FromEventSource yields the events of a stream of package eventsource. It completes when the stream
// is closed, and ends with the first error from its Errors channel, wrapped. The stream itself goes on, and
// a new subscription continues where the last one ended. Without a subscription the stream waits,
// because it blocks on either channel, even in Close after an error that nobody receives. The stream
// belongs to whoever opened it: it is not closed here, and concurrent subscriptions each get some of
// its events.
//
// Package eventsource cannot tell a block without data, which should dispatch nothing, from one
// with empty data. An event with neither a name nor data is skipped here. The package reads lines of any
// length, does not limit an event, and takes quadratic time for an event of many data lines. A nil
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
	// It returns 0 for none, and may return a number that is negative or overflows.
	if e, ok := from.(interface{ Retry() int64 }); ok && e.Retry() > 0 {
		event.HasRetry = true
		event.Retry = time.Duration(min(e.Retry(), maxRetry.Milliseconds())) * time.Millisecond
	}
	return event
}
