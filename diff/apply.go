package diff

import (
	"context"

	"github.com/relaystream/autoconfig/decode"
)

// Apply applies a message and emits the changes that it makes. An emitted change may stand for several; see
// Change.Split.
//
// A put begins with what Expire does, because the machine may have been asleep, and ends with Synced. A
// Complete is Expire and Synced alone. A saved put, whose Listing is Cached, is ignored once a message from the
// server has been applied.
//
// If ctx ends during a put, Apply stops in the middle and returns the context's cause. The state then has no
// Synced until a put is complete. Apply returns no other error.
func (s *State) Apply(ctx context.Context, m *decode.Message, emit func(Change)) (err error) {
	switch m.Kind {
	case decode.Put:
		err = s.put(ctx, m.Put, emit)
	case decode.Patch:
		s.stats.Patches++
		s.heard = true
		s.patch(m, emit)
	case decode.Delete:
		s.stats.Deletes++
		s.heard = true
		s.delete(m, emit)
	case decode.Omit:
		s.stats.Omits++
		s.heard = true
		s.omit(m, emit)
	case decode.Complete:
		s.stats.Completes++
		s.heard = true
		s.Expire(emit)
		s.complete(Change{}, emit)
	default:
		s.stats.Ignored++
	}
	if s.timekeeper != nil {
		s.timekeeper.arm()
	}
	return err
}

// put applies a complete configuration: environments, then filters.
func (s *State) put(ctx context.Context, listing *decode.Listing, emit func(Change)) error {
	if listing == nil || listing.Cached && s.heard {
		s.stats.Ignored++
		return nil
	}
	s.stats.Puts++
	s.heard = !listing.Cached
	s.synced = Change{}
	skipped := s.stats.Skipped
	s.Expire(emit)
	upsert := func(known *environmentSlot, entry *decode.EnvironmentEntry) { s.listed(known, entry, emit) }
	omit := func(old environment) { s.environmentDeleted(old, Change{Omitted: true}, emit) }
	s.environments.begin(listing.Len())
	if err := s.repeat(ctx, listing.Unchanged, emit); err != nil {
		return err
	}
	if err := put(ctx, s.environments, listing.Environments, upsert, omit); err != nil {
		return err
	}
	if listing.FiltersErr == nil {
		upsert := func(known *filterSlot, entry *decode.FilterEntry) { s.filterListed(known, entry, emit) }
		omit := func(old *Filter) { s.filterDeleted(old, Change{Omitted: true}, emit) }
		s.filters.begin(len(listing.Filters))
		if err := put(ctx, s.filters, listing.Filters, upsert, omit); err != nil {
			return err
		}
	}
	s.complete(Change{Cached: listing.Cached, Partial: s.stats.Skipped != skipped || listing.FiltersErr != nil}, emit)
	return nil
}

// complete emits that the configuration is complete. c says what else there is to say.
func (s *State) complete(c Change, emit func(Change)) {
	c.Kind = Synced
	s.synced = c
	emit(c)
}

func (s *State) patch(m *decode.Message, emit func(Change)) {
	switch environment, filter := &m.Environment, &m.Filter; {
	case filter.ID != "" && usableFilter(filter):
		s.upsertFilter(s.filters.slot(filter.ID), filter, emit)
	case filter.ID != "" || !usable(environment):
		s.stats.Skipped++
	case environment.Rep == nil:
		s.stale(Subject{Environment: environment.ID}, environment.Version)
	default:
		s.upsert(s.environments.slot(environment.ID), environment, emit)
	}
}

func (s *State) delete(m *decode.Message, emit func(Change)) {
	switch environment, filter := &m.Environment, &m.Filter; {
	case filter.ID != "":
		old, outcome := s.filters.Delete(filter.ID, filter.Version)
		switch outcome {
		case Deleted:
			s.filterDeleted(old, Change{Version: filter.Version}, emit)
		case Stale:
			s.stale(Subject{Filter: filter.ID}, filter.Version)
		}
	case environment.ID != "":
		old, outcome := s.environments.Delete(environment.ID, environment.Version)
		switch outcome {
		case Deleted:
			s.environmentDeleted(old, Change{Version: environment.Version}, emit)
		case Stale:
			s.stale(Subject{Environment: environment.ID}, environment.Version)
		}
	default:
		s.stats.Skipped++
	}
}

func (s *State) omit(m *decode.Message, emit func(Change)) {
	switch environment, filter := m.Environment.ID, m.Filter.ID; {
	case filter != "":
		if old, outcome := s.filters.Omit(filter); outcome == Deleted {
			s.filterDeleted(old, Change{Omitted: true}, emit)
		}
	case environment != "":
		if old, outcome := s.environments.Omit(environment); outcome == Deleted {
			s.environmentDeleted(old, Change{Omitted: true}, emit)
		}
	default:
		s.stats.Skipped++
	}
}

func (s *State) stale(subject Subject, version int) {
	s.stats.Stale++
	if s.options.Stale != nil {
		s.options.Stale(subject, version)
	}
}
