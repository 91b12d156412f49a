package hub_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A classic client is what a Relay has without this library: an event source, encoding/json, and maps.
type classic struct {
	mu           sync.Mutex
	environments items[autoconfig.EnvironmentID, autoconfig.EnvironmentRep]
	filters      items[autoconfig.FilterID, autoconfig.FilterRep]
}

// items are those of one kind, with their versions, which those that were deleted have too.
type items[ID ~string, T any] struct {
	live     map[ID]T
	versions map[ID]int
	version  func(T) int
}

func newClassic() *classic {
	return &classic{
		environments: items[autoconfig.EnvironmentID, autoconfig.EnvironmentRep]{
			map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{}, map[autoconfig.EnvironmentID]int{},
			func(e autoconfig.EnvironmentRep) int { return e.Version },
		},
		filters: items[autoconfig.FilterID, autoconfig.FilterRep]{
			map[autoconfig.FilterID]autoconfig.FilterRep{}, map[autoconfig.FilterID]int{},
			func(f autoconfig.FilterRep) int { return f.Version },
		},
	}
}

// newer records a version, and reports whether it is newer than the known one.
func (i *items[ID, T]) newer(id ID, version int) bool {
	if known, ok := i.versions[id]; ok && version <= known {
		return false
	}
	i.versions[id] = version
	return true
}

func (i *items[ID, T]) upsert(id ID, item T) {
	if i.newer(id, i.version(item)) {
		i.live[id] = item
	}
}

func (i *items[ID, T]) delete(id ID, version int) {
	if i.newer(id, version) {
		delete(i.live, id)
	}
}

func (i *items[ID, T]) put(listed map[ID]T) {
	for id, item := range listed {
		i.upsert(id, item)
	}
	omitted := func(id ID) bool { _, ok := listed[id]; return !ok }
	maps.DeleteFunc(i.live, func(id ID, _ T) bool { return omitted(id) })
	maps.DeleteFunc(i.versions, func(id ID, _ int) bool { return omitted(id) })
}

// run keeps a connection until ctx ends.
func (c *classic) run(ctx context.Context, client *http.Client, url string) {
	for ctx.Err() == nil {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/relay_auto_config?rpacProtocolVersion=2", nil)
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Authorization", testkit.Key)
		response, err := client.Do(r)
		if err == nil {
			if response.StatusCode == http.StatusOK {
				c.read(response.Body)
			}
			_ = response.Body.Close()
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// read applies events until the end, or until there are none for five minutes. It uses no more of the event source than
// its decoder, because the rest leaves a goroutine behind at some failures.
func (c *classic) read(body io.ReadCloser) {
	decoder := eventsource.NewDecoder(body)
	for {
		timeout := time.AfterFunc(5*time.Minute, func() { _ = body.Close() })
		e, err := decoder.Decode()
		timeout.Stop()
		if err != nil {
			return
		}
		if c.apply(e.Event(), []byte(e.Data())) != nil {
			_ = body.Close()
		}
	}
}

func (c *classic) apply(event string, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var head struct {
		Path    string          `json:"path"`
		Data    json.RawMessage `json:"data"`
		Version int             `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	kind, id, _ := strings.Cut(strings.TrimPrefix(head.Path, "/"), "/")
	switch {
	case event == "put":
		var content autoconfig.PutContent
		if err := json.Unmarshal(head.Data, &content); err != nil {
			return err
		}
		c.environments.put(content.Environments)
		c.filters.put(content.Filters)
	case event == "patch" && kind == "environments":
		var e autoconfig.EnvironmentRep
		if err := json.Unmarshal(head.Data, &e); err != nil {
			return err
		}
		c.environments.upsert(autoconfig.EnvironmentID(id), e)
	case event == "patch" && kind == "filters":
		var f autoconfig.FilterRep
		if err := json.Unmarshal(head.Data, &f); err != nil {
			return err
		}
		c.filters.upsert(autoconfig.FilterID(id), f)
	case event == "delete" && kind == "environments":
		c.environments.delete(autoconfig.EnvironmentID(id), head.Version)
	case event == "delete" && kind == "filters":
		c.filters.delete(autoconfig.FilterID(id), head.Version)
	}
	return nil
}

func (c *classic) knows(id autoconfig.EnvironmentID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.environments.live[id]
	return ok
}

// check fails the test unless the client has this content.
func (c *classic) check(t *testing.T, want autoconfig.PutContent) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	got := testkit.Current(autoconfig.PutContent{Environments: c.environments.live, Filters: c.filters.live})
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the classic client has another configuration (-want +got):\n%s", d)
	}
}
