package upstream

import (
	"context"
	"io"

	"github.com/relaystream/autoconfig/internal/tap"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Pieces is the length of an event that should be decoded while it arrives, in bytes.
const Pieces = 32 << 10

// Watch passes the events on. Before that, or once the Body of an event has been read to its end, it calls arrived with the
// event's name, and shows the event to observers. An event with a Body is only shown if there were observers when it began,
// because it must be held as a whole for them.
func Watch(
	events stream.Observable[sse.Event], arrived func(name string), observers *tap.Tap[sse.Event],
) stream.Observable[sse.Event] {
	return func(ctx context.Context, yield func(sse.Event) bool) error {
		return events(ctx, func(e sse.Event) bool {
			if e.Body == nil {
				arrived(e.Type)
				observers.Pass(e)
			} else {
				e.Body = &watched{body: e.Body, event: e, arrived: arrived, observers: observers, kept: observers.Observed()}
			}
			return yield(e)
		})
	}
}

// A watched is a body.
type watched struct {
	body      io.Reader
	event     sse.Event    // with what has been read as its Data, if kept is true
	arrived   func(string) // nil once it has been called
	observers *tap.Tap[sse.Event]
	kept      bool
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if w.kept {
		w.event.Data = append(w.event.Data, p[:n]...)
	}
	if err == io.EOF && w.arrived != nil {
		w.end()
	}
	return n, err
}

func (w *watched) end() {
	w.arrived(w.event.Type)
	w.arrived = nil
	if w.kept {
		w.event.Body = nil
		w.observers.Pass(w.event)
		w.event.Data = nil
	}
}
