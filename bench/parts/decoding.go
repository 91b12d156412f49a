package parts

import (
	"context"
	"encoding/json"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A Decoding decodes patches of environments.
type Decoding struct {
	Name  string
	About string
	// Run decodes one event after the other and returns the sum of their versions.
	Run func(patches [][]byte) (int, error)
}

// Decodings returns all decoders, the usual one first.
func Decodings() []Decoding {
	return []Decoding{
		{"encoding/json", "the standard library", func(patches [][]byte) (int, error) {
			return unmarshalAll(patches, json.Unmarshal)
		}},
		{"go-json-experiment", "encoding/json/v2 as a module", func(patches [][]byte) (int, error) {
			return unmarshalAll(patches, func(data []byte, into any) error { return jsonv2.Unmarshal(data, into) })
		}},
		{"ours, nothing known", "decode.Messages on its own", func(patches [][]byte) (int, error) {
			return messages(patches, false)
		}},
		{"ours", "decode.Messages with the known environments", func(patches [][]byte) (int, error) {
			return messages(patches, true)
		}},
	}
}

func unmarshalAll(patches [][]byte, unmarshal func([]byte, any) error) (int, error) {
	sum := 0
	for _, data := range patches {
		patch := new(decode.PatchMessageData)
		if err := unmarshal(data, patch); err != nil {
			return sum, err
		}
		sum += patch.Data.Version
	}
	return sum, nil
}

// messages decodes as the client does: if remember is true, it looks up every environment and keeps it.
func messages(patches [][]byte, remember bool) (int, error) {
	known := map[decode.EnvironmentID]*decode.EnvironmentRep{}
	var options decode.Options
	if remember {
		options.Known = func(id []byte) *decode.EnvironmentRep { return known[decode.EnvironmentID(id)] }
	}
	sum := 0
	err := decode.Messages(events(patches), &options)(context.Background(), func(m decode.Message) bool {
		sum += m.Environment.Version
		if remember && m.Environment.Rep != nil {
			known[m.Environment.ID] = m.Environment.Rep
		}
		return true
	})
	return sum, err
}

// Decoded returns the messages of patches.
func Decoded(patches [][]byte) ([]decode.Message, error) {
	return decode.Messages(events(patches), nil).Collect(context.Background())
}

func events(patches [][]byte) stream.Observable[sse.Event] {
	return func(_ context.Context, yield func(sse.Event) bool) error {
		for _, data := range patches {
			if !yield(sse.Event{Type: decode.PatchEvent, Data: data}) {
				return nil
			}
		}
		return nil
	}
}
