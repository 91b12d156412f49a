package decode

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/stream/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// message returns the message of an event.
func (d *decoder) message(e *sse.Event) (m Message, err error) {
	err = d.event(e, &m)
	return m, err
}

// decode returns the message of an event with the data.
func (d *decoder) decode(event string, data []byte) (Message, error) {
	return d.message(&sse.Event{Type: event, Data: data})
}
