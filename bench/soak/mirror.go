package soak

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// A configuration is the state of one participant.
type configuration struct {
	environments map[autoconfig.EnvironmentID]*autoconfig.EnvironmentRep
	filters      map[autoconfig.FilterID]*autoconfig.Filter
}

// of returns the configuration that follows from changes.
func of(changes []autoconfig.Change) configuration {
	var m mirror
	for _, c := range changes {
		m.apply(c)
	}
	return m.known
}

// serving returns the configuration of a client that connects to a server with this content.
func serving(content decode.PutContent) configuration {
	var listing decode.Listing
	for id, e := range content.Environments {
		listing.Environments = append(listing.Environments, decode.EnvironmentEntry{ID: id, Version: e.Version, Rep: &e})
	}
	for id, f := range content.Filters {
		listing.Filters = append(listing.Filters, decode.FilterEntry{ID: id, Version: f.Version, Rep: &f})
	}
	state := diff.NewState(nil)
	_ = state.Apply(context.Background(), &decode.Message{Kind: decode.Put, Put: &listing}, func(autoconfig.Change) {})
	return of(state.Snapshot())
}

// compare describes how got differs from want, "" if it doesn't.
func compare[K ~string, V any](want, got map[K]V) string {
	for id, w := range want {
		g, ok := got[id]
		if !ok {
			return fmt.Sprintf("%s is missing", string(id))
		}
		if !reflect.DeepEqual(w, g) {
			return fmt.Sprintf("%s is\n\t%v, and not\n\t%v", string(id), g, w)
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			return fmt.Sprintf("%s is still there", string(id))
		}
	}
	return ""
}

func (c configuration) compare(got configuration) string {
	if d := compare(c.environments, got.environments); d != "" {
		return "environment " + d
	}
	if d := compare(c.filters, got.filters); d != "" {
		return "filter " + d
	}
	return ""
}

// A mirror is a configuration that is built only from changes. It is strict: the old item of each change
// must be the new one of the change before.
type mirror struct {
	mu      sync.Mutex
	known   configuration
	problem string // the first
}

func (m *mirror) apply(c autoconfig.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known.environments == nil {
		m.known.environments = map[autoconfig.EnvironmentID]*autoconfig.EnvironmentRep{}
		m.known.filters = map[autoconfig.FilterID]*autoconfig.Filter{}
	}
	followed := true
	switch id := c.Subject(); {
	case id.Environment != "":
		followed = turn(m.known.environments, id.Environment, c.Old, c.New)
	case id.Filter != "":
		followed = turn(m.known.filters, id.Filter, c.OldFilter, c.NewFilter)
	}
	if !followed && m.problem == "" {
		m.problem = fmt.Sprintf("%v does not follow from the changes before it", c)
	}
}

// turn replaces the item before with the item after; nil stands for none. It reports whether before was the
// present item.
func turn[K comparable, V any](items map[K]*V, id K, before, after *V) bool {
	followed := items[id] == before
	if after == nil {
		delete(items, id)
	} else {
		items[id] = after
	}
	return followed
}

// fault describes what is wrong with the changes, "" if nothing is.
func (m *mirror) fault() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.problem
}

func (m *mirror) differs(want configuration) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return want.compare(m.known)
}

// A handler is a MessageHandler that mirrors its calls.
type handler struct {
	mu           sync.Mutex
	environments map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams
	filters      map[autoconfig.FilterID]autoconfig.FilterParams
	problem      string
}

func newHandler() *handler {
	return &handler{
		environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams{},
		filters:      map[autoconfig.FilterID]autoconfig.FilterParams{},
	}
}

// updateItem replaces or deletes an item, as change says. known says whether the item must be known.
func updateItem[K ~string, V any](h *handler, items map[K]V, id K, known bool, change func(old V) (next V, keep bool)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old, ok := items[id]
	if ok != known && h.problem == "" {
		h.problem = fmt.Sprintf("%s: known is %t, want %t", string(id), ok, known)
	}
	if next, keep := change(old); keep {
		items[id] = next
	} else {
		delete(items, id)
	}
}

func replaced[V any](next V) func(V) (V, bool) { return func(V) (V, bool) { return next, true } }

func removed[V any](old V) (V, bool) { return old, false }

func (h *handler) AddEnvironment(p autoconfig.EnvironmentParams) {
	updateItem(h, h.environments, p.EnvID, false, replaced(p))
}

func (h *handler) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	updateItem(h, h.environments, p.EnvID, true, replaced(p))
}

func (h *handler) DeleteEnvironment(id autoconfig.EnvironmentID) {
	updateItem(h, h.environments, id, true, removed)
}

func (h *handler) KeyExpired(id autoconfig.EnvironmentID, key autoconfig.SDKKey) {
	updateItem(h, h.environments, id, true, func(p autoconfig.EnvironmentParams) (autoconfig.EnvironmentParams, bool) {
		if p.ExpiringSDKKey.Key == key {
			p.ExpiringSDKKey = autoconfig.ExpiringSDKKey{}
		}
		p.AcceptedSDKKeys = slices.DeleteFunc(slices.Clone(p.AcceptedSDKKeys),
			func(k autoconfig.AcceptedKey[autoconfig.SDKKey]) bool { return k.Value == key })
		return p, true
	})
}

func (h *handler) ReceivedAllEnvironments() {}

func (h *handler) AddFilter(p autoconfig.FilterParams) {
	updateItem(h, h.filters, p.ID, false, replaced(p))
}

func (h *handler) UpdateFilter(p autoconfig.FilterParams) {
	updateItem(h, h.filters, p.ID, true, replaced(p))
}

func (h *handler) DeleteFilter(id autoconfig.FilterID) { updateItem(h, h.filters, id, true, removed) }

func (h *handler) fault() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.problem
}

func (h *handler) differs(want configuration) string {
	environments := map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams{}
	for id, e := range want.environments {
		environments[id] = autoconfig.Params(e)
	}
	filters := map[autoconfig.FilterID]autoconfig.FilterParams{}
	for id, f := range want.filters {
		filters[id] = autoconfig.FilterParams{ID: id, ProjKey: f.ProjKey, Key: f.FilterKey}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := compare(environments, h.environments); d != "" {
		return "environment " + d
	}
	if d := compare(filters, h.filters); d != "" {
		return "filter " + d
	}
	return ""
}
