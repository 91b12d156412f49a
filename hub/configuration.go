package hub

import (
	"context"
	"sync"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// A configuration is what the changes so far have led to. It is not safe for concurrent use.
type configuration struct {
	environments *diff.Table[autoconfig.EnvironmentID, *autoconfig.EnvironmentRep]
	filters      *diff.Table[autoconfig.FilterID, *autoconfig.Filter]
}

func newConfiguration() *configuration {
	return &configuration{
		environments: diff.NewTable[autoconfig.EnvironmentID, *autoconfig.EnvironmentRep](0),
		filters:      diff.NewTable[autoconfig.FilterID, *autoconfig.Filter](0),
	}
}

// apply applies a change. The client has judged its version.
func (c *configuration) apply(change *autoconfig.Change) {
	if change.Kind == autoconfig.Synced {
		return
	}
	switch change.Kind {
	case autoconfig.EnvironmentAdded, autoconfig.EnvironmentUpdated, autoconfig.KeyExpired:
		set(c.environments, change.New.EnvID, change.New)
	case autoconfig.EnvironmentDeleted:
		c.environments.Delete(change.Old.EnvID, 1)
	case autoconfig.FilterAdded, autoconfig.FilterUpdated:
		set(c.filters, change.NewFilter.ID, change.NewFilter)
	case autoconfig.FilterDeleted:
		c.filters.Delete(change.OldFilter.ID, 1)
	}
}

// set adds or replaces a value. The table's own versions are not used: all values have version 0.
func set[ID comparable, V any](t *diff.Table[ID, V], id ID, value V) {
	if _, _, ok := t.Get(id); ok {
		t.Replace(id, value)
	} else {
		t.Upsert(id, 0, value)
	}
}

// put returns a put of the configuration as it is.
func (c *configuration) put() *put {
	l := decode.Listing{
		Environments: make([]decode.EnvironmentEntry, 0, c.environments.Len()),
		Filters:      make([]decode.FilterEntry, 0, c.filters.Len()),
	}
	for id, rep := range c.environments.All {
		l.Environments = append(l.Environments, decode.EnvironmentEntry{ID: id, Rep: rep})
	}
	for id, f := range c.filters.All {
		l.Filters = append(l.Filters, decode.FilterEntry{ID: id, Rep: &f.FilterRep})
	}
	return &put{listing: l}
}

// A put is the encoded put of one state, made when the first reader needs it.
type put struct {
	listing decode.Listing
	with    sync.Once // encodes all with filters
	without sync.Once
	v1, v2  []byte
}

// serves is how many bytes of changes may follow the put before the next reader gets another one: about a quarter of its size. So
// puts that are held for readers who take them slowly are no more than four times the changes that are.
func (p *put) serves(maxBacklog int) uint64 {
	return uint64(min(maxBacklog/4, 100*len(p.listing.Environments)+25*len(p.listing.Filters)))
}

// event returns the encoded event for readers of a protocol version, and whether this call has encoded it.
func (p *put) event(version int) (raw []byte, encoded bool) {
	filters := version > 1 || len(p.listing.Filters) == 0
	if filters {
		p.with.Do(func() { p.v2, encoded = encode(decode.Message{Kind: decode.Put, Put: &p.listing}), true })
		return p.v2, encoded
	}
	p.without.Do(func() {
		environments := decode.Listing{Environments: p.listing.Environments}
		p.v1, encoded = encode(decode.Message{Kind: decode.Put, Put: &environments}), true
	})
	return p.v1, encoded
}

// encode returns the message as a server-sent event.
func encode(m decode.Message) []byte {
	raw := append([]byte("event: "+m.Kind.String()), "\ndata: "...)
	raw, err := m.AppendData(context.Background(), raw)
	if err != nil {
		panic("hub: a change has no form on the wire: " + err.Error())
	}
	return append(raw, "\n\n"...)
}
