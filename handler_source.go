package autoconfig

import (
	"context"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// A HandlerSource is the reverse of Dispatch: a MessageHandler and FilterHandler that can be observed.
// Code that already drives a handler, such as Relay's own StreamManager behind a conversion of its
// types, drives this one, and whoever wants to subscribes to Changes. Its methods may be called
// concurrently.
//
// It takes what it is told as it is: an update of an unknown environment is an addition, and the other
// way round; versions are numbers of its own, one more with each call.
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
// then what it is told. A subscriber that falls behind by more than DefaultLag gets changes merged, as
// with Client.Changes. It completes when Close is called.
func (h *HandlerSource) Changes() stream.Observable[Change] {
	policy := stream.Coalesce(DefaultLag, Change.Subject, diff.Merge)
	return diff.Split(h.changes.Observe(policy, h.snapshot))
}

// Close completes the observables of Changes. What the handler is told afterwards is ignored.
func (h *HandlerSource) Close() { h.changes.Close(nil) }

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

// tell runs f with the state locked and a new version.
func (h *HandlerSource) tell(f func(version int, emit func(Change))) {
	// Without a policy that blocks it never waits, and after Close there is nobody to tell.
	_ = h.changes.Update(context.Background(), func(emit func(Change)) {
		h.version++
		f(h.version, emit)
	})
}

// AddEnvironment implements MessageHandler.
func (h *HandlerSource) AddEnvironment(params EnvironmentParams) { h.UpdateEnvironment(params) }

// UpdateEnvironment implements MessageHandler.
func (h *HandlerSource) UpdateEnvironment(params EnvironmentParams) {
	h.tell(func(version int, emit func(Change)) {
		e := params.rep(version)
		old, outcome := h.environments.Upsert(e.EnvID, version, e)
		if outcome == diff.Updated {
			emit(Change{Kind: EnvironmentUpdated, Old: old, New: e})
		} else {
			emit(Change{Kind: EnvironmentAdded, New: e})
		}
	})
}

// DeleteEnvironment implements MessageHandler.
func (h *HandlerSource) DeleteEnvironment(id EnvironmentID) {
	h.tell(func(version int, emit func(Change)) {
		if old, outcome := h.environments.Delete(id, version); outcome == diff.Deleted {
			emit(Change{Kind: EnvironmentDeleted, Old: old})
		}
	})
}

// KeyExpired implements MessageHandler. It is ignored for an unknown environment.
func (h *HandlerSource) KeyExpired(id EnvironmentID, oldKey SDKKey) {
	h.tell(func(_ int, emit func(Change)) {
		if before, _, ok := h.environments.Get(id); ok {
			change := diff.Expired(before, &Key{SDKKey: oldKey})
			h.environments.Replace(id, change.New)
			emit(change)
		}
	})
}

// ReceivedAllEnvironments implements MessageHandler.
func (h *HandlerSource) ReceivedAllEnvironments() {
	h.tell(func(_ int, emit func(Change)) {
		h.synced = true
		emit(Change{Kind: Synced})
	})
}

// AddFilter implements FilterHandler.
func (h *HandlerSource) AddFilter(params FilterParams) { h.UpdateFilter(params) }

// UpdateFilter implements FilterHandler.
func (h *HandlerSource) UpdateFilter(params FilterParams) {
	h.tell(func(version int, emit func(Change)) {
		f := &Filter{ID: params.ID, FilterRep: FilterRep{ProjKey: params.ProjKey, FilterKey: params.Key, Version: version}}
		old, outcome := h.filters.Upsert(f.ID, version, f)
		if outcome == diff.Updated {
			emit(Change{Kind: FilterUpdated, OldFilter: old, NewFilter: f})
		} else {
			emit(Change{Kind: FilterAdded, NewFilter: f})
		}
	})
}

// DeleteFilter implements FilterHandler.
func (h *HandlerSource) DeleteFilter(id FilterID) {
	h.tell(func(version int, emit func(Change)) {
		if old, outcome := h.filters.Delete(id, version); outcome == diff.Deleted {
			emit(Change{Kind: FilterDeleted, OldFilter: old})
		}
	})
}
