package stream

// Forgetful reports whether nothing is left of subscribers and publishers, all of whom are gone.
func (s *Subject[T]) Forgetful() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs) == 0 && len(s.behind) == 0 && len(s.waiting) == 0 && s.over == 0 && s.blocked == 0 &&
		len(s.log.values) == 0 && len(s.log.former) == 0
}
