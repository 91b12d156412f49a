package hub

import (
	"strings"
	"sync/atomic"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
)

// An event is an entry of the log that all readers share: a linked list, of which each reader keeps the entry that it has
// read last. What no reader keeps any more is garbage.
type event struct {
	v1, v2 []byte // for readers of protocol version 1 and of later ones; nil for none
	put    *put   // instead
	end    uint64 // the backlog's bytes in the log, up to and with this event
	next   atomic.Pointer[event]
}

// raw returns what readers of a protocol version get, and whether this call has encoded it.
func (e *event) raw(version int) (raw []byte, encoded bool) {
	switch {
	case e.put != nil:
		return e.put.event(version)
	case version > 1:
		return e.v2, false
	default:
		return e.v1, false
	}
}

// size is what the event adds to a backlog.
func (e *event) size(maxBacklog int) int {
	if e.put != nil {
		return maxBacklog / 4
	}
	return len(e.v2)
}

// heartbeat is a comment.
var heartbeat = []byte(":\n")

// encodeChange returns the event that tells readers of a change, or nil if none does.
func encodeChange(c *autoconfig.Change) *event {
	m := decode.Message{Kind: decode.Patch}
	switch c.Kind {
	case autoconfig.EnvironmentAdded, autoconfig.EnvironmentUpdated:
		m.Environment = decode.EnvironmentEntry{ID: c.New.EnvID, Rep: c.New}
	case autoconfig.FilterAdded, autoconfig.FilterUpdated:
		m.Filter = decode.FilterEntry{ID: c.NewFilter.ID, Rep: &c.NewFilter.FilterRep}
	case autoconfig.EnvironmentDeleted:
		m.Kind, m.Environment = decode.Delete, decode.EnvironmentEntry{ID: c.Old.EnvID, Version: c.Version}
	case autoconfig.FilterDeleted:
		m.Kind, m.Filter = decode.Delete, decode.FilterEntry{ID: c.OldFilter.ID, Version: c.Version}
	default:
		return nil
	}
	raw := encode(m)
	e := &event{v2: raw}
	if m.Filter.ID == "" {
		e.v1 = raw
	}
	return e
}

// needsPut reports whether only a put can tell readers of a change: that an item was omitted, or anything about an item
// whose ID no path can name.
func needsPut(c *autoconfig.Change) bool {
	s := c.Subject()
	return c.Omitted || c.Kind != autoconfig.KeyExpired && strings.Contains(string(s.Environment)+string(s.Filter), "/")
}
