// Package snapshot encodes a configuration, or one item of it.
//
// A snapshot is the data of the put that would make the configuration, in the configuration's order. So it needs no
// format of its own, and the decoder, which is fast and checks everything, reads it. If there are lingering keys, which
// a put can't say, a line feed follows, and
//
//	{"lingering":{"<envID>":[{"value":"…","timestamp":…}]}}
package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// errLingering reports lingering keys that are not valid. Its text shows none of them.
var errLingering = errors.New("malformed lingering keys")

// Encode returns the snapshot of the configuration that changes make from nothing. The error is the cause of ctx.
func Encode(ctx context.Context, changes []diff.Change) ([]byte, error) {
	put := decode.Message{Kind: decode.Put, Put: listing(changes)}
	snapshot, err := put.AppendData(ctx, nil)
	if err != nil || !slices.ContainsFunc(changes, lingers) {
		return snapshot, err
	}
	separator := "\n" + `{"lingering":{`
	for i := range changes {
		c := &changes[i]
		if !lingers(*c) {
			continue
		}
		if err := context.Cause(ctx); err != nil {
			return snapshot, err
		}
		snapshot = append(snapshot, separator...)
		separator = ","
		if snapshot, err = appendLingering(snapshot, c.New); err != nil {
			return snapshot, err
		}
	}
	return append(snapshot, `}}`...), nil
}

func lingers(c diff.Change) bool { return c.Kind == diff.EnvironmentAdded && len(c.New.Lingering) > 0 }

// listing returns the content of the put that makes the configuration.
func listing(changes []diff.Change) *decode.Listing {
	l := &decode.Listing{Environments: make([]decode.EnvironmentEntry, 0, len(changes))}
	for i := range changes {
		switch c := &changes[i]; c.Kind {
		case diff.EnvironmentAdded:
			l.Environments = append(l.Environments, decode.EnvironmentEntry{ID: c.New.EnvID, Rep: c.New})
		case diff.FilterAdded:
			l.Filters = append(l.Filters, decode.FilterEntry{ID: c.NewFilter.ID, Rep: &c.NewFilter.FilterRep})
		}
	}
	return l
}

// appendLingering appends the member that tells the lingering keys of an environment.
func appendLingering(b []byte, e *decode.EnvironmentRep) ([]byte, error) {
	name, err := json.Marshal(e.EnvID)
	if err != nil {
		return b, err
	}
	keys, err := json.Marshal(e.Lingering)
	return append(append(append(b, name...), ':'), keys...), err
}

// Decode reads what Encode wrote. The listing is Cached. The error says what is malformed, or is the cause of ctx.
func Decode(ctx context.Context, snapshot []byte) (*decode.Listing, error) {
	data, lingering, ok := bytes.Cut(snapshot, []byte("\n"))
	put, err := decodePut(ctx, data)
	if err == nil && ok {
		err = decodeLingering(put, lingering)
	}
	switch {
	case err == nil:
		return put, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default:
		return nil, err
	}
}

func decodePut(ctx context.Context, data []byte) (*decode.Listing, error) {
	event := stream.Just(sse.Event{Type: decode.PutEvent, Data: data})
	// The configuration may have grown beyond what one put may list.
	m, err := decode.Messages(event, &decode.Options{MaxListed: math.MaxInt}).First(ctx)
	if err != nil {
		return nil, err
	}
	if m.Kind != decode.Put {
		return nil, m.Err
	}
	m.Put.Cached = true
	return m.Put, nil
}

// decodeLingering adds the lingering keys to the environments that put lists.
func decodeLingering(put *decode.Listing, data []byte) error {
	var m struct {
		Lingering map[decode.EnvironmentID][]decode.ExpiringKeyRep `json:"lingering"`
	}
	if json.Unmarshal(data, &m) != nil {
		return errLingering
	}
	for _, e := range slices.Backward(put.Environments) { // of two with one ID, the later one counts
		keys, ok := m.Lingering[e.ID]
		if !ok {
			continue
		}
		delete(m.Lingering, e.ID)
		if slices.ContainsFunc(keys, impossible) {
			return errLingering
		}
		if e.Rep != nil {
			e.Rep.Lingering = keys
		}
	}
	if len(m.Lingering) > 0 { // of environments that are not listed
		return errLingering
	}
	return nil
}

// impossible reports whether a lingering key is empty or never expires.
func impossible(k decode.ExpiringKeyRep) bool { return k.Value == "" || k.Timestamp == 0 }
