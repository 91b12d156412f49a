package autoconfig

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A snapshot is the put message that would make the state, in the state's order. So it needs no format
// of its own, and is read by the decoder, which is quick and checks everything.

// encodeSnapshot returns the snapshot of the state that changes make from nothing. size is a guess at
// its length.
func encodeSnapshot(changes []Change, size int) ([]byte, error) {
	w := snapshotWriter{b: make([]byte, 0, size)}
	w.raw(`{"path":"/","data":{"environments":{`)
	for _, c := range changes {
		if c.Kind == EnvironmentAdded {
			w.member(string(c.New.EnvID), c.New)
		}
	}
	w.raw(`},"filters":{`)
	for _, c := range changes {
		if c.Kind == FilterAdded {
			w.member(string(c.NewFilter.ID), &c.NewFilter.FilterRep)
		}
	}
	w.raw(`}}}`)
	return w.b, w.err
}

// A snapshotWriter writes JSON objects member by member, in the order given, which encoding/json does
// not do with a map. It keeps the first error.
type snapshotWriter struct {
	b   []byte
	err error
}

func (w *snapshotWriter) raw(s string) { w.b = append(w.b, s...) }

func (w *snapshotWriter) member(name string, v any) {
	if w.b[len(w.b)-1] == '}' {
		w.raw(`,`) // what precedes is another member
	}
	w.value(name)
	w.raw(`:`)
	w.value(v)
}

func (w *snapshotWriter) value(v any) {
	b, err := json.Marshal(v)
	w.b = append(w.b, b...)
	if w.err == nil {
		w.err = err
	}
}

// decodeSnapshot reads what encodeSnapshot wrote. The error matches ErrCacheDamaged.
func decodeSnapshot(plain []byte) (*decode.Listing, error) {
	event := stream.Just(sse.Event{Type: PutEvent, Data: plain})
	// The state may have grown beyond what one put may list.
	message, err := decode.Messages(event, &decode.Options{MaxListed: math.MaxInt}).First(context.Background())
	if err == nil {
		err = message.Err // why it is ignored
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCacheDamaged, err)
	}
	message.Put.Cached = true
	return message.Put, nil
}
