package testkit

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
)

// A Mirror builds a configuration from nothing but changes. It is strict: each change must begin with what
// those before it led to.
type Mirror struct {
	Name string // for messages

	// The following are for tests that know that no change is being applied.

	Environments map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep
	Applied      []autoconfig.Change
	Problem      string // the first contradiction, empty if there was none

	mu      sync.Mutex
	filters map[autoconfig.FilterID]autoconfig.FilterRep
}

// NewMirror returns an empty mirror.
func NewMirror(name string) *Mirror {
	return &Mirror{Name: name, Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{},
		filters: map[autoconfig.FilterID]autoconfig.FilterRep{}}
}

// Apply applies a change.
func (m *Mirror) Apply(c autoconfig.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Applied = append(m.Applied, c)
	switch c.Kind {
	case autoconfig.EnvironmentAdded:
		turn(m, c, m.Environments, c.New.EnvID, nil, c.New)
	case autoconfig.EnvironmentUpdated, autoconfig.KeyExpired:
		turn(m, c, m.Environments, c.New.EnvID, c.Old, c.New)
	case autoconfig.EnvironmentDeleted:
		turn(m, c, m.Environments, c.Old.EnvID, c.Old, nil)
	case autoconfig.FilterAdded:
		turn(m, c, m.filters, c.NewFilter.ID, nil, &c.NewFilter.FilterRep)
	case autoconfig.FilterUpdated:
		turn(m, c, m.filters, c.NewFilter.ID, &c.OldFilter.FilterRep, &c.NewFilter.FilterRep)
	case autoconfig.FilterDeleted:
		turn(m, c, m.filters, c.OldFilter.ID, &c.OldFilter.FilterRep, nil)
	case autoconfig.Synced:
	default:
		m.complain(c, "is of no kind")
	}
}

// turn replaces the item before, nil for none, by the one after.
func turn[ID ~string, T any](m *Mirror, c autoconfig.Change, items map[ID]T, id ID, before, after *T) {
	item, ok := items[id]
	if ok != (before != nil) || ok && !cmp.Equal(item, *before) {
		m.complain(c, "does not follow the changes before it")
	}
	if after == nil {
		delete(items, id)
	} else {
		items[id] = *after
	}
}

func (m *Mirror) complain(c autoconfig.Change, what string) {
	if m.Problem == "" {
		m.Problem = fmt.Sprintf("change %d, %v, %s", len(m.Applied), c, what)
	}
}

// Knows reports whether there is an environment of that ID.
func (m *Mirror) Knows(id autoconfig.EnvironmentID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.Environments[id]
	return ok
}

// Content returns the configuration as the content of a server.
func (m *Mirror) Content() decode.PutContent {
	m.mu.Lock()
	defer m.mu.Unlock()
	return decode.PutContent{Environments: maps.Clone(m.Environments), Filters: maps.Clone(m.filters)}
}

// Deletions returns how often each item was deleted.
func (m *Mirror) Deletions() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := make(map[string]int)
	for _, c := range m.Applied {
		switch c.Kind {
		case autoconfig.EnvironmentDeleted:
			n[string(c.Old.EnvID)]++
		case autoconfig.FilterDeleted:
			n[string(c.OldFilter.ID)]++
		}
	}
	return n
}

// Check fails the test unless the changes followed from each other and led to the content of a server.
func (m *Mirror) Check(t *testing.T, want decode.PutContent) {
	t.Helper()
	d := m.Diff(want)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Problem != "" {
		t.Errorf("%s: %s\nchanges:\n%v", m.Name, m.Problem, m.Applied)
	}
	if d != "" {
		t.Errorf("%s: the changes lead to another configuration (-want +got):\n%s\nchanges:\n%v", m.Name, d, m.Applied)
	}
}

// Diff says how the configuration differs from the content of a server, empty if it does not.
func (m *Mirror) Diff(want decode.PutContent) string {
	// The server does not say which keys linger.
	return cmp.Diff(want, m.Content(), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(decode.EnvironmentRep{}, "Lingering"))
}

// Set adds the items of a snapshot.
func (m *Mirror) Set(s autoconfig.Snapshot) {
	for _, e := range s.Environments {
		m.Environments[e.EnvID] = *e
	}
	for _, f := range s.Filters {
		m.filters[f.ID] = f.FilterRep
	}
}

// Current returns the content of a server without the keys that have expired.
func Current(content decode.PutContent) decode.PutContent {
	past := func(milliseconds int64) bool {
		return milliseconds != 0 && !time.UnixMilli(milliseconds).After(time.Now())
	}
	c := decode.PutContent{Environments: maps.Clone(content.Environments), Filters: content.Filters}
	for id, e := range c.Environments {
		if past(e.SDKKey.Expiring.Timestamp) {
			e.SDKKey.Expiring = decode.ExpiringKeyRep{}
		}
		e.SDKKeys = slices.DeleteFunc(e.SDKKeys, func(k decode.ConcurrentKeyRep[decode.SDKKey]) bool {
			return k.Value != e.SDKKey.Value && k.Expiry != nil && past(*k.Expiry)
		})
		c.Environments[id] = e
	}
	return c
}

// A HandlerMirror is a mirror of what a MessageHandler is told. It implements MessageHandler, FilterHandler
// and FilterUpdater.
type HandlerMirror struct {
	busy  sync.Mutex // held during each call, since calls must not overlap
	pause func()     // called during each call

	mu           sync.Mutex
	environments map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams
	filters      map[autoconfig.FilterID]autoconfig.FilterParams
	problem      string // the first
}

// NewHandlerMirror returns an empty mirror that calls pause during each call.
func NewHandlerMirror(pause func()) *HandlerMirror {
	return &HandlerMirror{pause: pause, environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams{},
		filters: map[autoconfig.FilterID]autoconfig.FilterParams{}}
}

// told is one call. It records the problem what unless ok, and applies the call.
func (h *HandlerMirror) told(what string, ok func() bool, apply func()) {
	if !h.busy.TryLock() {
		panic("a handler was called by two at a time")
	}
	defer h.busy.Unlock()
	h.pause()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !ok() && h.problem == "" {
		h.problem = what
	}
	apply()
}

func (h *HandlerMirror) has(id autoconfig.EnvironmentID) bool {
	_, ok := h.environments[id]
	return ok
}

func (h *HandlerMirror) hasFilter(id autoconfig.FilterID) bool {
	_, ok := h.filters[id]
	return ok
}

// AddEnvironment implements autoconfig.MessageHandler.
func (h *HandlerMirror) AddEnvironment(p autoconfig.EnvironmentParams) {
	h.told("added twice: "+string(p.EnvID), func() bool { return !h.has(p.EnvID) }, func() { h.environments[p.EnvID] = p })
}

// UpdateEnvironment implements autoconfig.MessageHandler.
func (h *HandlerMirror) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	h.told("updated and not there: "+string(p.EnvID), func() bool { return h.has(p.EnvID) }, func() { h.environments[p.EnvID] = p })
}

// DeleteEnvironment implements autoconfig.MessageHandler.
func (h *HandlerMirror) DeleteEnvironment(id autoconfig.EnvironmentID) {
	h.told("deleted and not there: "+string(id), func() bool { return h.has(id) }, func() { delete(h.environments, id) })
}

// KeyExpired implements autoconfig.MessageHandler.
func (h *HandlerMirror) KeyExpired(id autoconfig.EnvironmentID, key autoconfig.SDKKey) {
	h.told("expired and not there: "+string(id), func() bool { return h.has(id) }, func() {
		p := h.environments[id]
		if p.ExpiringSDKKey.Key == key {
			p.ExpiringSDKKey = autoconfig.ExpiringSDKKey{}
		}
		p.AcceptedSDKKeys = slices.DeleteFunc(slices.Clone(p.AcceptedSDKKeys),
			func(k autoconfig.AcceptedKey[autoconfig.SDKKey]) bool { return k.Value == key })
		h.environments[id] = p
	})
}

// ReceivedAllEnvironments implements autoconfig.MessageHandler.
func (h *HandlerMirror) ReceivedAllEnvironments() {
	h.told("", func() bool { return true }, func() {})
}

// AddFilter implements autoconfig.FilterHandler.
func (h *HandlerMirror) AddFilter(p autoconfig.FilterParams) {
	h.told("added twice: "+string(p.ID), func() bool { return !h.hasFilter(p.ID) }, func() { h.filters[p.ID] = p })
}

// UpdateFilter implements autoconfig.FilterUpdater.
func (h *HandlerMirror) UpdateFilter(p autoconfig.FilterParams) {
	h.told("updated and not there: "+string(p.ID), func() bool { return h.hasFilter(p.ID) }, func() { h.filters[p.ID] = p })
}

// DeleteFilter implements autoconfig.FilterHandler.
func (h *HandlerMirror) DeleteFilter(id autoconfig.FilterID) {
	h.told("deleted and not there: "+string(id), func() bool { return h.hasFilter(id) }, func() { delete(h.filters, id) })
}

// Knows reports whether there is an environment of that ID.
func (h *HandlerMirror) Knows(id autoconfig.EnvironmentID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.has(id)
}

// Check fails the test unless the calls made sense and led to the content of a server.
func (h *HandlerMirror) Check(t *testing.T, want decode.PutContent) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.problem != "" {
		t.Errorf("handler: %s", h.problem)
	}
	environments := map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams{}
	for id, e := range want.Environments {
		environments[id] = autoconfig.Params(&e)
		if told, ok := h.environments[id]; ok && environments[id].AcceptedSDKKeys == nil {
			told.AcceptedSDKKeys = nil // lingering keys, which the server does not name
			h.environments[id] = told
		}
	}
	filters := map[autoconfig.FilterID]autoconfig.FilterParams{}
	for id, f := range want.Filters {
		filters[id] = autoconfig.FilterParams{ID: id, ProjKey: f.ProjKey, Key: f.FilterKey}
	}
	if d := cmp.Diff(environments, h.environments, cmpopts.EquateEmpty()) + cmp.Diff(filters, h.filters); d != "" {
		t.Errorf("handler: was told of another configuration (-want +got):\n%s", d)
	}
}
