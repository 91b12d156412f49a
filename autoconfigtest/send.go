package autoconfigtest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/decode"
)

// Put sends a put message with this content to all open connections, and serves it to new ones.
// Nil environments are sent as an empty set, because a put without is malformed.
//
// The server follows the same version rules as clients: an item whose version isn't greater than the
// last one of its ID doesn't become part of [Server.Content]. It is sent nevertheless.
func (s *Server) Put(content decode.PutContent) {
	content = cloneContent(content)
	if content.Environments == nil {
		content.Environments = map[decode.EnvironmentID]decode.EnvironmentRep{}
	}
	s.broadcast(encodePut(content), func() { s.state.put(content) })
}

// Patch adds or replaces an environment and sends the patch message to all open connections. Before
// the first Put, and if the version isn't greater than the last one of this ID, deletions included,
// the message is sent but the content stays as it is.
func (s *Server) Patch(environment decode.EnvironmentRep) {
	environment = cloneEnvironment(environment)
	entry := decode.EnvironmentEntry{ID: environment.EnvID, Rep: &environment}
	s.broadcast(encode(decode.Message{Kind: decode.Patch, Environment: entry}), func() {
		s.state.environments.upsert(environment.EnvID, environment, environment.Version)
	})
}

// PatchFilter is Patch for a filter. The message is sent to clients of protocol version 2 or more.
func (s *Server) PatchFilter(id decode.FilterID, filter decode.FilterRep) {
	m := decode.Message{Kind: decode.Patch, Filter: decode.FilterEntry{ID: id, Rep: &filter}}
	s.broadcast(encode(m), func() { s.state.filters.upsert(id, filter, filter.Version) })
}

// Delete removes an environment and sends the delete message to all open connections. Before the
// first Put, and if version isn't greater than the last one of this ID, the message is sent but the
// content stays as it is.
func (s *Server) Delete(id decode.EnvironmentID, version int) {
	m := decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: id, Version: version}}
	s.broadcast(encode(m), func() { s.state.environments.remove(id, version) })
}

// DeleteFilter is Delete for a filter. The message is sent to clients of protocol version 2 or more.
func (s *Server) DeleteFilter(id decode.FilterID, version int) {
	m := decode.Message{Kind: decode.Delete, Filter: decode.FilterEntry{ID: id, Version: version}}
	s.broadcast(encode(m), func() { s.state.filters.remove(id, version) })
}

// Reconnect asks all connected clients to connect again.
func (s *Server) Reconnect() { s.SendEvent(decode.ReconnectEvent, "{}") }

// Heartbeat sends a comment to all open connections.
func (s *Server) Heartbeat() { s.SendRaw([]byte(":\n")) }

// SendEvent sends an event to all open connections. Each line of data becomes a data field; lines
// end with LF. An empty name is left out.
func (s *Server) SendEvent(name, data string) { s.SendRaw(encodeEvent(name, data)) }

// SendRaw sends bytes to all open connections as they are.
func (s *Server) SendRaw(raw []byte) {
	raw = slices.Clone(raw)
	s.broadcast(message{raw, raw}, nil)
}

// EndConnections ends the responses of all event streams in the regular way, each when everything
// sent so far has been written. The streams no longer count as open.
func (s *Server) EndConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.exchanges {
		if x.open {
			s.end(x, nil)
		}
	}
}

// CloseConnections cuts the network connections of all requests that are being answered, at once.
// What has been sent and not read may be lost; call [Server.AwaitDrained] first to prevent that.
func (s *Server) CloseConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.exchanges {
		s.cut(x, false)
	}
}

// broadcast changes the state and sends the message to all open connections, in one step.
func (s *Server) broadcast(m message, change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change != nil {
		change()
	}
	for x := range s.exchanges {
		if !x.open {
			continue
		}
		if raw := m.version(x.version); raw != nil {
			x.send(raw)
		}
	}
}

// A message has the bytes to send to clients of protocol version 1, nil for none, and of version 2.
type message struct{ v1, v2 []byte }

func (m message) version(version int) []byte {
	if version < 2 {
		return m.v1
	}
	return m.v2
}

// encodePut encodes a put, in the order of the IDs.
func encodePut(content decode.PutContent) message {
	put := &decode.Listing{Environments: entries(content.Environments), Filters: entries(content.Filters)}
	m := encode(decode.Message{Kind: decode.Put, Put: put})
	if len(put.Filters) > 0 {
		m.v1 = encode(decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: put.Environments}}).v1
	}
	return m
}

func entries[ID decode.EnvironmentID | decode.FilterID, Rep any](items map[ID]Rep) []decode.Entry[ID, Rep] {
	list := make([]decode.Entry[ID, Rep], 0, len(items))
	for _, id := range slices.Sorted(maps.Keys(items)) {
		rep := items[id]
		list = append(list, decode.Entry[ID, Rep]{ID: id, Rep: &rep})
	}
	return list
}

func encode(m decode.Message) message {
	data, err := m.AppendData(context.Background(), nil)
	if err != nil {
		panic(fmt.Sprintf("autoconfigtest: a message has no form on the wire: %v", err))
	}
	raw := encodeEvent(m.Kind.String(), string(data))
	if m.Filter.ID != "" {
		return message{nil, raw}
	}
	return message{raw, raw}
}

// An event implements eventsource.Event.
type event struct{ name, data string }

func (event) Id() string      { return "" } //nolint:revive // the interface spells it so
func (e event) Event() string { return e.name }
func (e event) Data() string  { return e.data }

func encodeEvent(name, data string) []byte {
	var b bytes.Buffer
	// A bytes.Buffer reports no error.
	_ = eventsource.NewEncoder(&b, false).Encode(event{name, data})
	return b.Bytes()
}
