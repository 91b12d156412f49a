package params

import (
	"context"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// lag is how many changes may wait for a subscriber before those of one environment are merged.
const lag = 1024

// A Source is the reverse of Dispatch: a MessageHandler, FilterHandler and FilterUpdater that can be
// observed. Code that already drives a handler, such as Relay's own StreamManager behind a conversion of
// its types, drives this one, and subscribers observe Changes. NewSource makes one; the methods of
// the zero Source panic. Methods may be called concurrently, and do not block.
//
// It does not check the calls: an update of an unknown environment is an addition, and the other way round. Versions
// are numbers of its own, one more with each call.
type Source struct {
	changes      *stream.Subject[diff.Change]
	environments *diff.Table[decode.EnvironmentID, *decode.EnvironmentRep] // guarded by changes, like the others
	filters      *diff.Table[decode.FilterID, *diff.Filter]
	version      int
	synced       bool
}

// NewSource returns a Source without environments and filters.
func NewSource() *Source {
	return &Source{
		changes:      stream.NewSubject[diff.Change](),
		environments: diff.NewTable[decode.EnvironmentID, *decode.EnvironmentRep](0),
		filters:      diff.NewTable[decode.FilterID, *diff.Filter](0),
	}
}

// Changes returns the state that the calls so far have made, as additions and, after ReceivedAllEnvironments, Synced,
// and then the change that each call makes. When more than 1,024 changes wait for a subscriber, those of one
// environment are merged, as with Client.Changes. It completes when Close is called.
func (h *Source) Changes() stream.Observable[diff.Change] {
	policy := stream.Coalesce(lag, diff.Change.Subject, diff.Merge)
	return diff.Split(h.subject().Observe(policy, h.snapshot))
}

// Close completes the observables of Changes. Later calls of the handler are ignored.
func (h *Source) Close() { h.subject().Close(nil) }

func (h *Source) subject() *stream.Subject[diff.Change] {
	if h.changes == nil {
		panic("autoconfig: zero HandlerSource: NewHandlerSource makes one")
	}
	return h.changes
}

func (h *Source) snapshot() []diff.Change {
	var all []diff.Change
	for _, e := range h.environments.All {
		all = append(all, diff.Change{Kind: diff.EnvironmentAdded, New: e})
	}
	for _, f := range h.filters.All {
		all = append(all, diff.Change{Kind: diff.FilterAdded, NewFilter: f})
	}
	if h.synced {
		all = append(all, diff.Change{Kind: diff.Synced})
	}
	return all
}

// tell emits the changes that f returns, which it makes with the state locked and a new version.
func (h *Source) tell(f func(version int) (c diff.Change, changed bool)) {
	// No subscriber has a policy that blocks, so there is no wait. The only error is that Close was called.
	_ = h.subject().Update(context.Background(), func(emit func(diff.Change)) {
		h.version++
		if c, changed := f(h.version); changed {
			emit(c)
		}
	})
}

// AddEnvironment implements MessageHandler.
func (h *Source) AddEnvironment(p Environment) { h.UpdateEnvironment(p) }

// UpdateEnvironment implements MessageHandler. It rounds the TTL down to whole minutes.
func (h *Source) UpdateEnvironment(p Environment) {
	h.tell(func(version int) (diff.Change, bool) {
		e := p.Rep(version)
		if old, outcome := h.environments.Upsert(e.EnvID, version, e); outcome == diff.Updated {
			return diff.Change{Kind: diff.EnvironmentUpdated, Old: old, New: e}, true
		}
		return diff.Change{Kind: diff.EnvironmentAdded, New: e}, true
	})
}

// DeleteEnvironment implements MessageHandler.
func (h *Source) DeleteEnvironment(id decode.EnvironmentID) {
	h.tell(func(version int) (diff.Change, bool) {
		old, outcome := h.environments.Delete(id, version)
		return diff.Change{Kind: diff.EnvironmentDeleted, Old: old, Version: version}, outcome == diff.Deleted
	})
}

// KeyExpired implements MessageHandler. It is ignored for an unknown environment.
func (h *Source) KeyExpired(id decode.EnvironmentID, oldKey decode.SDKKey) {
	h.tell(func(int) (c diff.Change, known bool) {
		before, _, known := h.environments.Get(id)
		if known {
			c = diff.Expired(before, &decode.Key{SDKKey: oldKey})
			h.environments.Replace(id, c.New)
		}
		return c, known
	})
}

// ReceivedAllEnvironments implements MessageHandler.
func (h *Source) ReceivedAllEnvironments() {
	h.tell(func(int) (diff.Change, bool) {
		h.synced = true
		return diff.Change{Kind: diff.Synced}, true
	})
}

// AddFilter implements FilterHandler.
func (h *Source) AddFilter(p Filter) { h.UpdateFilter(p) }

// UpdateFilter implements FilterUpdater.
func (h *Source) UpdateFilter(p Filter) {
	h.tell(func(version int) (diff.Change, bool) {
		f := &diff.Filter{ID: p.ID, FilterRep: decode.FilterRep{ProjKey: p.ProjKey, FilterKey: p.Key, Version: version}}
		if old, outcome := h.filters.Upsert(f.ID, version, f); outcome == diff.Updated {
			return diff.Change{Kind: diff.FilterUpdated, OldFilter: old, NewFilter: f}, true
		}
		return diff.Change{Kind: diff.FilterAdded, NewFilter: f}, true
	})
}

// DeleteFilter implements FilterHandler.
func (h *Source) DeleteFilter(id decode.FilterID) {
	h.tell(func(version int) (diff.Change, bool) {
		old, outcome := h.filters.Delete(id, version)
		return diff.Change{Kind: diff.FilterDeleted, OldFilter: old, Version: version}, outcome == diff.Deleted
	})
}
