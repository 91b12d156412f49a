package autoconfigtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

// Clients that join at different times, during any changes with any versions, all hold what the
// server says it serves. A late client doesn't know earlier deletions, so every change after a
// deletion has a greater version.
func TestContentIsWhatClientsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		var streams []io.ReadCloser
		join := func() {
			response, err := s.Client().Do(newRequest(t.Context(), t, s.URL))
			if err != nil {
				rt.Fatal(err)
			}
			streams = append(streams, response.Body)
			if err := s.AwaitConnections(t.Context(), len(streams)); err != nil {
				rt.Fatal(err)
			}
		}
		changes := changer{server: s, deleted: 1}
		join()
		s.Put(environments()) // messages before the first put are not part of the content
		rt.Repeat(map[string]func(*rapid.T){
			"join": func(rt *rapid.T) {
				if len(streams) == 5 {
					rt.Skip("enough")
				}
				join()
			},
			"put":    changes.put,
			"patch":  changes.patch,
			"delete": changes.delete,
		})
		s.EndConnections()
		for i, stream := range streams {
			body, err := io.ReadAll(stream)
			if err != nil {
				rt.Fatal(err)
			}
			_ = stream.Close()
			if diff := cmp.Diff(s.Content(), fold(rt, body), cmpopts.EquateEmpty()); diff != "" {
				rt.Errorf("client %d (-server +client):\n%s", i, diff)
			}
		}
	})
}

// A changer makes random changes, stale ones included.
type changer struct {
	server  *autoconfigtest.Server
	deleted int // versions start here, so all clients agree on which are stale
}

func (c *changer) id(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id")
}

func (c *changer) version(rt *rapid.T) int {
	return c.deleted + rapid.IntRange(0, 3).Draw(rt, "version")
}

func (c *changer) put(rt *rapid.T) {
	content := environments()
	content.Filters = map[decode.FilterID]decode.FilterRep{}
	for range rapid.IntRange(0, 3).Draw(rt, "items") {
		id := decode.EnvironmentID(c.id(rt))
		content.Environments[id] = environment(id, c.version(rt))
		content.Filters[decode.FilterID(c.id(rt))] = decode.FilterRep{Version: c.version(rt)}
	}
	c.server.Put(content)
}

func (c *changer) patch(rt *rapid.T) {
	if id := c.id(rt); rapid.Bool().Draw(rt, "filter") {
		c.server.PatchFilter(decode.FilterID(id), decode.FilterRep{Version: c.version(rt)})
	} else {
		c.server.Patch(environment(decode.EnvironmentID(id), c.version(rt)))
	}
}

func (c *changer) delete(rt *rapid.T) {
	version := c.version(rt)
	if id := c.id(rt); rapid.Bool().Draw(rt, "filter") {
		c.server.DeleteFilter(decode.FilterID(id), version)
	} else {
		c.server.Delete(decode.EnvironmentID(id), version)
	}
	c.deleted = version + 1
}

// A folder is a client with the simplest implementation of the rules. It keeps items and versions
// by path, and a deletion as a version without an item.
type folder struct {
	t        rapid.TB
	items    map[string]json.RawMessage
	versions map[string]int
}

// fold returns the content that a client holds after reading body.
func fold(t rapid.TB, body []byte) decode.PutContent {
	t.Helper()
	f := folder{t: t, items: map[string]json.RawMessage{}, versions: map[string]int{}}
	stream := newEvents(bytes.NewReader(body))
	for {
		e, err := stream.next()
		if errors.Is(err, io.EOF) {
			return f.content()
		}
		if err != nil {
			t.Fatal(err)
		}
		f.event(e)
	}
}

func (f *folder) event(e event) {
	var m struct {
		Path    string
		Version int
		Data    struct {
			Version      int
			Environments map[string]json.RawMessage
			Filters      map[string]json.RawMessage
		}
	}
	f.parse([]byte(e.data), &m)
	switch e.name {
	case "delete":
		f.set(m.Path, m.Version, nil)
	case "patch":
		var item struct{ Data json.RawMessage }
		f.parse([]byte(e.data), &item)
		f.set(m.Path, m.Data.Version, item.Data)
	case "put":
		listed := map[string]json.RawMessage{}
		for id, item := range m.Data.Environments {
			listed["/environments/"+id] = item
		}
		for id, item := range m.Data.Filters {
			listed["/filters/"+id] = item
		}
		f.put(listed)
	}
}

func (f *folder) put(listed map[string]json.RawMessage) {
	for path, item := range listed {
		var version struct{ Version int }
		f.parse(item, &version)
		f.set(path, version.Version, item)
	}
	for path := range f.versions {
		if listed[path] == nil {
			delete(f.items, path)
			delete(f.versions, path)
		}
	}
}

func (f *folder) set(path string, version int, item json.RawMessage) {
	if known, ok := f.versions[path]; ok && version <= known {
		return
	}
	f.versions[path], f.items[path] = version, item
}

func (f *folder) content() decode.PutContent {
	content := environments()
	content.Filters = map[decode.FilterID]decode.FilterRep{}
	for path, item := range f.items {
		if item == nil {
			continue
		}
		if id, ok := strings.CutPrefix(path, "/filters/"); ok {
			var filter decode.FilterRep
			f.parse(item, &filter)
			content.Filters[decode.FilterID(id)] = filter
			continue
		}
		var e decode.EnvironmentRep
		f.parse(item, &e)
		content.Environments[e.EnvID] = e
	}
	return content
}

func (f *folder) parse(text []byte, into any) {
	f.t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		f.t.Fatal(fmt.Errorf("%w in %s", err, text))
	}
}
