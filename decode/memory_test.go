package decode

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/relaystream/autoconfig/stream/sse"
)

// TestEventsAreNotKept: an event may lie in a buffer as large as the largest put.
func TestEventsAreNotKept(t *testing.T) {
	kept := 0
	events := func(_ context.Context, yield func(sse.Event) bool) error {
		for _, seed := range corpus(t) {
			name := [...]string{PutEvent, PatchEvent, DeleteEvent}[seed.event%3]
			if _, err := newDecoder(nil).decode(name, seed.data); err != nil {
				continue // it would be the last one
			}
			buffer := make([]byte, 1<<16)
			left := weak.Make(&buffer[0])
			if !yield(sse.Event{Type: name, Data: buffer[:copy(buffer, seed.data)]}) {
				return nil
			}
			buffer = nil
			if runtime.GC(); left.Value() != nil {
				kept++
			}
		}
		return nil
	}
	messages, err := Messages(events, nil).Count(t.Context())
	if err != nil || messages == 0 || kept > 0 {
		t.Errorf("of %d events %d are kept, %v", messages, kept, err)
	}
}
