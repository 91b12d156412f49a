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

// environmentSize is about how many bytes an environment takes in a snapshot.
const environmentSize = 400

// Encode returns the snapshot of the configuration that changes make from nothing. The error is the cause of ctx.
func Encode(ctx context.Context, changes []diff.Change) ([]byte, error) {
	w := newSnapshotWriter(ctx, environmentSize*len(changes))
	w.raw(`{"path":"/","data":{"environments":{`)
	for i := range changes {
		if c := &changes[i]; c.Kind == diff.EnvironmentAdded {
			w.member(&c.New.EnvID, c.New)
		}
	}
	w.raw(`},"filters":{`)
	for i := range changes {
		if c := &changes[i]; c.Kind == diff.FilterAdded {
			w.member(&c.NewFilter.ID, &c.NewFilter.FilterRep)
		}
	}
	w.raw(`}}}`)
	if slices.ContainsFunc(changes, lingers) {
		w.raw("\n" + `{"lingering":{`)
		for i := range changes {
			if c := &changes[i]; lingers(*c) {
				w.member(&c.New.EnvID, &c.New.Lingering)
			}
		}
		w.raw(`}}`)
	}
	return w.buf.Bytes(), w.err
}

func lingers(c diff.Change) bool { return c.Kind == diff.EnvironmentAdded && len(c.New.Lingering) > 0 }

// A snapshotWriter writes JSON objects member by member, in the order given, which encoding/json does not do with
// a map. It keeps the first error and writes no member after that.
type snapshotWriter struct {
	ctx  context.Context
	buf  bytes.Buffer
	json *json.Encoder // writes to buf
	err  error
}

func newSnapshotWriter(ctx context.Context, size int) *snapshotWriter {
	w := &snapshotWriter{ctx: ctx}
	w.buf.Grow(size)
	w.json = json.NewEncoder(&w.buf)
	w.json.SetEscapeHTML(false) // which would make six bytes of one
	return w
}

func (w *snapshotWriter) raw(s string) { w.buf.WriteString(s) }

// member writes a member, unless ctx has ended. Both arguments are pointers, to save memory.
func (w *snapshotWriter) member(name, v any) {
	if w.err == nil {
		w.err = context.Cause(w.ctx)
	}
	if w.err != nil {
		return
	}
	if b := w.buf.Bytes(); b[len(b)-1] == '}' || b[len(b)-1] == ']' {
		w.raw(`,`) // what precedes is another member
	}
	w.value(name)
	w.raw(`:`)
	w.value(v)
}

func (w *snapshotWriter) value(v any) {
	if err := w.json.Encode(v); err != nil {
		w.err = err
		return
	}
	w.buf.Truncate(w.buf.Len() - 1) // without the line feed
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
