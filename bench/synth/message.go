package synth

import "github.com/relaystream/autoconfig/decode"

// A Service receives the messages of a stream as calls. *autoconfigtest.Server implements it.
type Service interface {
	// Patch adds or replaces an environment if its version is newer.
	Patch(environment decode.EnvironmentRep)
	// Delete removes an environment.
	Delete(id decode.EnvironmentID, version int)
	// PatchFilter adds or replaces a filter.
	PatchFilter(id decode.FilterID, filter decode.FilterRep)
}

// Play passes the next n messages to the service. Config.Unusual has no effect on them.
func (s *Stream) Play(n int, to Service) {
	for range n {
		s.next(to)
	}
}

// A writer is a Service that writes messages as blocks.
type writer struct{ *Stream }

func (w writer) Patch(environment decode.EnvironmentRep) {
	w.block = appendPatch(w.block[:0], &environment)
}

func (w writer) Delete(id decode.EnvironmentID, version int) {
	w.block = appendDelete(w.block[:0], id, version)
}

func (w writer) PatchFilter(id decode.FilterID, filter decode.FilterRep) {
	w.block = appendFilterPatch(w.block[:0], id, filter)
}

// next sends one message about an environment other than the mark, or about a filter.
func (s *Stream) next(to Service) {
	if len(s.envs) < 2 {
		s.mark(to)
		return
	}
	e := &s.envs[1+s.rng.IntN(len(s.envs)-1)]
	switch kind := s.kind(); {
	case kind == filterPatch && len(s.filters) > 0:
		s.updateFilter(to)
	case kind == deletion && !e.deleted && !e.unknown:
		s.delete(to, e)
	case kind == stalePatch && !e.unknown && !e.deleted: // a client that connects later would not find it stale
		s.stale(to, e)
	case kind == repetition && !e.unknown:
		unchanged(to, e)
	default:
		s.update(to, e)
	}
}

type messageKind int

const (
	updating messageKind = iota
	filterPatch
	deletion
	stalePatch
	repetition
)

func (s *Stream) kind() messageKind {
	share := s.rng.Float64()
	for kind, part := range [...]float64{
		filterPatch: s.cfg.FilterPatches, deletion: s.cfg.Deletes,
		stalePatch: s.cfg.Stale, repetition: s.cfg.Unchanged,
	} {
		if share < part {
			return messageKind(kind)
		}
		share -= part
	}
	return updating
}

// mark updates the mark.
func (s *Stream) mark(to Service) {
	e := &s.envs[0]
	e.rep.Version++
	e.rep.SecureMode = !e.rep.SecureMode
	s.counts.Updated++
	to.Patch(e.rep)
}

func (s *Stream) updateFilter(to Service) {
	f := &s.filters[s.rng.IntN(len(s.filters))]
	f.rep.FilterKey = s.name()
	f.rep.Version++
	to.PatchFilter(f.id, f.rep)
}

func (s *Stream) delete(to Service, e *environment) {
	e.deleted = true
	e.rep.Version++
	s.counts.Deleted++
	to.Delete(e.rep.EnvID, e.rep.Version)
}

// stale sends a change with an old version. A client that applies it ends in a wrong state.
func (s *Stream) stale(to Service, e *environment) {
	old := e.rep
	old.Version -= 1 + s.rng.IntN(old.Version)
	old.MobKey = s.mobileKey()
	old.MobileKeys = nil
	old.DefaultTTL++
	to.Patch(old)
}

func unchanged(to Service, e *environment) {
	if e.deleted {
		to.Delete(e.rep.EnvID, e.rep.Version)
		return
	}
	to.Patch(e.rep)
}

func (s *Stream) update(to Service, e *environment) {
	s.change(e)
	e.rep.Version++
	if e.unknown || e.deleted {
		s.counts.Added++
	} else {
		s.counts.Updated++
	}
	e.unknown, e.deleted = false, false
	if s.rng.Float64() >= s.cfg.Unusual {
		to.Patch(e.rep)
		return
	}
	s.rename(&e.rep)
	if w, ok := to.(writer); ok {
		w.block = w.appendUnusual(w.block[:0], &e.rep)
		return
	}
	to.Patch(e.rep)
}
