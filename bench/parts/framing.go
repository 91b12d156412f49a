// Package parts has parts of the peers that are measured alone, from memory and without a network:
// framing, decoding, operators and multicast.
package parts

import (
	"errors"
	"io"

	"github.com/launchdarkly/eventsource"
	"github.com/relaystream/autoconfig/stream/sse"
	gosse "github.com/tmaxmax/go-sse"
)

// maxEvent is a limit above the largest put.
const maxEvent = 1 << 30

// A Framing splits a stream into events.
type Framing struct {
	Name  string
	About string
	// Run returns the number of bytes of data in the events of r.
	Run func(r io.Reader) (int, error)
}

// Framings returns all parsers, the usual one first.
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
	for event, err := range sse.Scan(r, &sse.ScanOptions{Borrow: true}) {
		if err != nil {
			return size, err
		}
		size += len(event.Data)
	}
	return size, nil
}
