package upstream

import (
	"context"
	"io"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Pieces is the length of an event that should be decoded while it arrives, in bytes.
const Pieces = 32 << 10

// Watch passes the events on and calls seen for each, before it is passed on or, if it has a Body, once that has been
// read to its end. Then the event that seen gets has its Data if keep returned true when the event began, else none.
func Watch(events stream.Observable[sse.Event], keep func() bool, seen func(sse.Event)) stream.Observable[sse.Event] {
	return func(ctx context.Context, yield func(sse.Event) bool) error {
		return events(ctx, func(e sse.Event) bool {
			if e.Body == nil {
				seen(e)
			} else {
				e.Body = watch(e, keep(), seen)
			}
			return yield(e)
		})
	}
}

// A watched is a body.
type watched struct {
	body  io.Reader
	event sse.Event // with what has been read, if keep is true
	keep  bool
	seen  func(sse.Event) // nil once it has been called
}

func watch(e sse.Event, keep bool, seen func(sse.Event)) *watched {
	w := &watched{body: e.Body, event: e, keep: keep, seen: seen}
	w.event.Body = nil
	return w
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if w.keep {
		w.event.Data = append(w.event.Data, p[:n]...)
	}
	if err == io.EOF && w.seen != nil {
		w.seen(w.event)
		w.event.Data, w.seen = nil, nil
	}
	return n, err
}
