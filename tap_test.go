package autoconfig

import (
	"testing"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestTapsCostNothingWhileNobodySubscribes means that neither allocates, and an event is not copied.
func TestTapsCostNothingWhileNobodySubscribes(t *testing.T) {
	s, err := (*Options)(nil).resolve("rel-key")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(s)
	event, message := sse.Event{Type: "put", Data: []byte("{}")}, decode.Message{Kind: decode.Put, Put: new(decode.Listing)}
	if n := testing.AllocsPerRun(100, func() {
		c.events.pass(event)
		c.messages.pass(message)
	}); n != 0 {
		t.Errorf("%v allocations for an event and a message that nobody subscribed to", n)
	}
}
