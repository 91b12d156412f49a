package synth

// next makes one message about an environment other than the mark, or about a filter.
func (s *Stream) next() []byte {
	if len(s.envs) < 2 {
		return s.Mark()
	}
	e := &s.envs[1+s.rng.IntN(len(s.envs)-1)]
	switch kind := s.kind(); {
	case kind == filterPatch && len(s.filters) > 0:
		s.block = s.appendFilterPatch(s.block[:0])
	case kind == deletion && !e.deleted && !e.unknown:
		s.block = s.delete(s.block[:0], e)
	case kind == stalePatch && !e.unknown:
		s.block = s.stale(s.block[:0], e)
	case kind == repetition && !e.unknown:
		s.block = unchanged(s.block[:0], e)
	default:
		s.block = s.update(s.block[:0], e)
	}
	return s.block
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

func (s *Stream) delete(dst []byte, e *environment) []byte {
	e.deleted = true
	e.rep.Version++
	s.counts.Deleted++
	return appendDelete(dst, &e.rep)
}

// stale sends what would be seen if it were applied.
func (s *Stream) stale(dst []byte, e *environment) []byte {
	old := e.rep
	old.Version -= 1 + s.rng.IntN(old.Version)
	old.MobKey = s.mobileKey()
	old.MobileKeys = nil
	old.DefaultTTL++
	return appendPatch(dst, &old)
}

func unchanged(dst []byte, e *environment) []byte {
	if e.deleted {
		return appendDelete(dst, &e.rep)
	}
	return appendPatch(dst, &e.rep)
}

func (s *Stream) update(dst []byte, e *environment) []byte {
	s.change(e)
	e.rep.Version++
	if e.unknown || e.deleted {
		s.counts.Added++
	} else {
		s.counts.Updated++
	}
	e.unknown, e.deleted = false, false
	if s.rng.Float64() < s.cfg.Unusual {
		return s.appendUnusual(dst, &e.rep)
	}
	return appendPatch(dst, &e.rep)
}
