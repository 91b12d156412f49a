package autoconfig

import (
	"context"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// A HandlerSource is the reverse of Dispatch: a MessageHandler, FilterHandler and FilterUpdater that can be
// observed. Code that already drives a handler, such as Relay's own StreamManager behind a conversion of
// its types, drives this one, and subscribers observe Changes. NewHandlerSource makes one; the methods of
// the zero HandlerSource panic. Methods may be called concurrently, and do not block.
//
// It takes what it is told as it is: an update of an unknown environment is an addition, and the other
// way round. Versions are numbers of its own, one more with each call.
type HandlerSource struct {
	changes      *stream.Subject[Change]
	environments *diff.Table[EnvironmentID, *EnvironmentRep] // guarded by changes, like the others
	filters      *diff.Table[FilterID, *Filter]
	version      int
	synced       bool
}

// NewHandlerSource returns a HandlerSource that has not been told anything.
func NewHandlerSource() *HandlerSource {
	return &HandlerSource{
		changes:      stream.NewSubject[Change](),
		environments: diff.NewTable[EnvironmentID, *EnvironmentRep](0),
		filters:      diff.NewTable[FilterID, *Filter](0),
	}
}

// Changes returns what the handler has been told so far, as additions and Synced if that was told, and
// then what it is told. When more than DefaultLag changes wait for a subscriber they are merged, as with
// Client.Changes. It completes when Close is called.
func (h *HandlerSource) Changes() stream.Observable[Change] {
	policy := stream.Coalesce(DefaultLag, Change.Subject, diff.Merge)
	return diff.Split(h.subject().Observe(policy, h.snapshot))
}

// Close completes the observables of Changes. What the handler is told afterwards is ignored.
func (h *HandlerSource) Close() { h.subject().Close(nil) }

func (h *HandlerSource) subject() *stream.Subject[Change] {
	if h.changes == nil {
		panic("autoconfig: zero HandlerSource: NewHandlerSource makes one")
	}
	return h.changes
}

func (h *HandlerSource) snapshot() []Change {
	var all []Change
	for _, e := range h.environments.All {
		all = append(all, Change{Kind: EnvironmentAdded, New: e})
	}
	for _, f := range h.filters.All {
		all = append(all, Change{Kind: FilterAdded, NewFilter: f})
	}
	if h.synced {
		all = append(all, Change{Kind: Synced})
	}
	return all
}

// tell emits the changes that f returns, which it makes with the state locked and a new version.
func (h *HandlerSource) tell(f func(version int) (c Change, changed bool)) {
	// No subscriber has a policy that blocks, and after Close there is nobody to tell.
	_ = h.subject().Update(context.Background(), func(emit func(Change)) {
		h.version++
		if c, changed := f(h.version); changed {
			emit(c)
		}
	})
}

// AddEnvironment implements MessageHandler.
func (h *HandlerSource) AddEnvironment(params EnvironmentParams) { h.UpdateEnvironment(params) }

// UpdateEnvironment implements MessageHandler. It rounds the TTL down to whole minutes.
func (h *HandlerSource) UpdateEnvironment(params EnvironmentParams) {
	h.tell(func(version int) (Change, bool) {
		e := params.Rep(version)
		if old, outcome := h.environments.Upsert(e.EnvID, version, e); outcome == diff.Updated {
			return Change{Kind: EnvironmentUpdated, Old: old, New: e}, true
		}
		return Change{Kind: EnvironmentAdded, New: e}, true
	})
}

// DeleteEnvironment implements MessageHandler.
func (h *HandlerSource) DeleteEnvironment(id EnvironmentID) {
	h.tell(func(version int) (Change, bool) {
		old, outcome := h.environments.Delete(id, version)
		return Change{Kind: EnvironmentDeleted, Old: old, Version: version}, outcome == diff.Deleted
	})
}

// KeyExpired implements MessageHandler. It is ignored for an unknown environment.
func (h *HandlerSource) KeyExpired(id EnvironmentID, oldKey SDKKey) {
	h.tell(func(int) (c Change, known bool) {
		before, _, known := h.environments.Get(id)
		if known {
			c = diff.Expired(before, &Key{SDKKey: oldKey})
			h.environments.Replace(id, c.New)
		}
		return c, known
	})
}

// ReceivedAllEnvironments implements MessageHandler.
func (h *HandlerSource) ReceivedAllEnvironments() {
	h.tell(func(int) (Change, bool) {
		h.synced = true
		return Change{Kind: Synced}, true
	})
}

// AddFilter implements FilterHandler.
func (h *HandlerSource) AddFilter(params FilterParams) { h.UpdateFilter(params) }

// UpdateFilter implements FilterUpdater.
func (h *HandlerSource) UpdateFilter(params FilterParams) {
	h.tell(func(version int) (Change, bool) {
		f := &Filter{ID: params.ID, FilterRep: FilterRep{ProjKey: params.ProjKey, FilterKey: params.Key, Version: version}}
		if old, outcome := h.filters.Upsert(f.ID, version, f); outcome == diff.Updated {
			return Change{Kind: FilterUpdated, OldFilter: old, NewFilter: f}, true
		}
		return Change{Kind: FilterAdded, NewFilter: f}, true
	})
}

// DeleteFilter implements FilterHandler.
func (h *HandlerSource) DeleteFilter(id FilterID) {
	h.tell(func(version int) (Change, bool) {
		old, outcome := h.filters.Delete(id, version)
		return Change{Kind: FilterDeleted, OldFilter: old, Version: version}, outcome == diff.Deleted
	})
}
