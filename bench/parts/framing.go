// Package parts holds pieces of the peers for measurement on their own, from memory and without a
// network: framing, decoding, operators and multicast.
package parts

import (
	"errors"
	"io"

	"github.com/launchdarkly/eventsource"
	"github.com/relaystream/autoconfig/stream/sse"
	gosse "github.com/tmaxmax/go-sse"
)

// maxEvent is room for the largest put.
const maxEvent = 1 << 30

// A Framing separates the events of a stream.
type Framing struct {
	Name  string
	About string
	// Run returns how many bytes of data the events of r have.
	Run func(r io.Reader) (int, error)
}

// Framings returns the parsers, the usual one first.
func Framings() []Framing {
	return []Framing{
		{"eventsource", "launchdarkly/eventsource Decoder", eventSource},
		{"gosse", "tmaxmax/go-sse Read", goSSE},
		{"ours", "sse.Scan", scan},
	}
}

func eventSource(r io.Reader) (int, error) {
	decoder := eventsource.NewDecoder(r)
	size := 0
	for {
		event, err := decoder.Decode()
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, err
		}
		size += len(event.Data())
	}
}

func goSSE(r io.Reader) (int, error) {
	size := 0
	for event, err := range gosse.Read(r, &gosse.ReadConfig{MaxEventSize: maxEvent}) {
		if err != nil {
			return size, err
		}
		size += len(event.Data)
	}
	return size, nil
}

func scan(r io.Reader) (int, error) {
	size := 0
	for event, err := range sse.Scan(r, nil) {
		if err != nil {
			return size, err
		}
		size += len(event.Data)
	}
	return size, nil
}
