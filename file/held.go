package file

import (
	"context"
	"errors"
	"reflect"

	"github.com/relaystream/autoconfig/decode"
)

// ErrVersion reports an item that has changed although its version is not greater than before. It is the Err of the
// *decode.IgnoredError of an entry.
var ErrVersion = errors.New("content has changed, but the version is not greater")

// maxID is how much of an ID an error holds, in bytes.
const maxID = 128

// A held is the configuration that a subscriber holds by the messages of this subscription.
type held struct {
	environments map[decode.EnvironmentID]*decode.EnvironmentRep
	filters      map[decode.FilterID]*decode.FilterRep
}

// update makes h the configuration after a put. The entries of the put that the subscriber would silently take for
// old ones get an Err, although they have changed. If ctx ends first, the result is of no use.
func (h *held) update(ctx context.Context, put *decode.Listing) {
	h.environments = merge(ctx, h.environments, put.Environments, "/environments/", func(e *decode.EnvironmentRep) int { return e.Version })
	if put.FiltersErr == nil {
		h.filters = merge(ctx, h.filters, put.Filters, "/filters/", func(f *decode.FilterRep) int { return f.Version })
	}
}

// merge returns what is held of one kind after a put with entries.
func merge[ID decode.EnvironmentID | decode.FilterID, Rep any](
	ctx context.Context, before map[ID]*Rep, entries []decode.Entry[ID, Rep], path string, version func(*Rep) int,
) map[ID]*Rep {
	after := make(map[ID]*Rep, len(entries))
	for i := 0; i < len(entries) && ctx.Err() == nil; i++ {
		e := &entries[i]
		old := before[e.ID]
		switch {
		case e.Err == nil && old != nil && reflect.DeepEqual(old, e.Rep):
			e.Rep = old // so that the new one, which nobody needs, is not kept
		case e.Err == nil && old != nil && version(e.Rep) <= version(old):
			e.Rep = nil
			e.Err = &decode.IgnoredError{Event: decode.PutEvent, Path: path + string(e.ID[:min(len(e.ID), maxID)]), Err: ErrVersion}
		case e.Err == nil:
			old = e.Rep
		}
		if old != nil {
			after[e.ID] = old
		}
	}
	return after
}
