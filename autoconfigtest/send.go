package autoconfigtest

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	s.broadcast(putMessage(content), func() { s.state.put(content) })
}

// Patch adds or replaces an environment and sends the patch message to all open connections. Before
// the first Put, and if the version isn't greater than the last one of this ID, deletions included,
// the message is sent but the content stays as it is.
func (s *Server) Patch(environment decode.EnvironmentRep) {
	environment = cloneEnvironment(environment)
	message := sharedMessage(decode.PatchEvent, decode.PatchMessageData{
		Path: environmentPath(environment.EnvID), Data: environment,
	})
	s.broadcast(message, func() {
		s.state.environments.upsert(environment.EnvID, environment, environment.Version)
	})
}

// PatchFilter is Patch for a filter. The message is sent to clients of protocol version 2 or more.
func (s *Server) PatchFilter(id decode.FilterID, filter decode.FilterRep) {
	message := filterMessage(decode.PatchEvent, decode.PatchFilterMessageData{Path: filterPath(id), Data: filter})
	s.broadcast(message, func() { s.state.filters.upsert(id, filter, filter.Version) })
}

// Delete removes an environment and sends the delete message to all open connections. Before the
// first Put, and if version isn't greater than the last one of this ID, the message is sent but the
// content stays as it is.
func (s *Server) Delete(id decode.EnvironmentID, version int) {
	message := sharedMessage(decode.DeleteEvent, decode.DeleteMessageData{Path: environmentPath(id), Version: version})
	s.broadcast(message, func() { s.state.environments.remove(id, version) })
}

// DeleteFilter is Delete for a filter. The message is sent to clients of protocol version 2 or more.
func (s *Server) DeleteFilter(id decode.FilterID, version int) {
	message := filterMessage(decode.DeleteEvent, decode.DeleteMessageData{Path: filterPath(id), Version: version})
	s.broadcast(message, func() { s.state.filters.remove(id, version) })
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

func putMessage(content decode.PutContent) message {
	m := sharedMessage(decode.PutEvent, decode.PutMessageData{Path: "/", Data: content})
	if len(content.Filters) > 0 {
		content.Filters = nil
		m.v1 = sharedMessage(decode.PutEvent, decode.PutMessageData{Path: "/", Data: content}).v1
	}
	return m
}

func sharedMessage(name string, data any) message {
	text, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("autoconfigtest: a wire type has no JSON form: %v", err))
	}
	raw := encodeEvent(name, string(text))
	return message{raw, raw}
}

func filterMessage(name string, data any) message {
	return message{nil, sharedMessage(name, data).v2}
}

func environmentPath(id decode.EnvironmentID) string { return "/environments/" + string(id) }

func filterPath(id decode.FilterID) string { return "/filters/" + string(id) }

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
