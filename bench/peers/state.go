package peers

import (
	"fmt"
	"strings"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
)

// A message is one decoded event. Exactly one field is set.
type message struct {
	put    *decode.PutMessageData
	patch  *decode.PatchMessageData
	delete *decode.DeleteMessageData
}

// parse decodes an event. It expects no filters, because no peer asks for them.
func parse(unmarshal func([]byte, any) error, event string, data []byte) (m message, err error) {
	switch event {
	case decode.PutEvent:
		m.put = new(decode.PutMessageData)
		err = unmarshal(data, m.put)
	case decode.PatchEvent:
		m.patch = new(decode.PatchMessageData)
		err = unmarshal(data, m.patch)
	case decode.DeleteEvent:
		m.delete = new(decode.DeleteMessageData)
		err = unmarshal(data, m.delete)
	default:
		err = fmt.Errorf("unknown event %q", event)
	}
	return m, err
}

// state is what a client, and Relay, must keep: the last known version of every environment, and the
// environment itself unless it is deleted.
type state struct {
	known   map[decode.EnvironmentID]known
	handler autoconfig.MessageHandler
}

type known struct {
	version int
	rep     *decode.EnvironmentRep
}

func newState(h autoconfig.MessageHandler) *state {
	return &state{known: make(map[decode.EnvironmentID]known), handler: h}
}

func (s *state) apply(m message) {
	switch {
	case m.put != nil:
		s.put(m.put.Data.Environments)
	case m.patch != nil:
		s.upsert(environmentID(m.patch.Path), &m.patch.Data)
	case m.delete != nil:
		s.delete(environmentID(m.delete.Path), m.delete.Version)
	}
}

func environmentID(path string) decode.EnvironmentID {
	return decode.EnvironmentID(strings.TrimPrefix(strings.TrimPrefix(path, "/"), "environments/"))
}

func (s *state) put(environments map[decode.EnvironmentID]decode.EnvironmentRep) {
	for id, rep := range environments {
		s.upsert(id, &rep)
	}
	for id, k := range s.known {
		if _, listed := environments[id]; listed {
			continue
		}
		delete(s.known, id)
		if k.rep != nil {
			s.handler.DeleteEnvironment(id)
		}
	}
	s.handler.ReceivedAllEnvironments()
}

func (s *state) upsert(id decode.EnvironmentID, rep *decode.EnvironmentRep) {
	k, ok := s.known[id]
	if ok && rep.Version <= k.version {
		return
	}
	s.known[id] = known{rep.Version, rep}
	if k.rep != nil {
		s.handler.UpdateEnvironment(autoconfig.Params(rep))
	} else {
		s.handler.AddEnvironment(autoconfig.Params(rep))
	}
}

func (s *state) delete(id decode.EnvironmentID, version int) {
	k, ok := s.known[id]
	if ok && version <= k.version {
		return
	}
	s.known[id] = known{version: version}
	if k.rep != nil {
		s.handler.DeleteEnvironment(id)
	}
}
