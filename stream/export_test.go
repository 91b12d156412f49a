package stream

// Forgetful reports whether nothing is left of subscribers and publishers, all of whom are gone.
func (s *Subject[T]) Forgetful() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs) == 0 && len(s.behind) == 0 && s.asleep.underWay == 0 && s.asleep.head == len(s.asleep.queue) && s.over == 0 && s.blocked == 0 &&
		len(s.log.values) == 0 && len(s.log.former.values) == 0 && len(s.log.older) == 0
}

// Held returns for how many values the subject has memory.
func (s *Subject[T]) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.HeldLocked()
}

// HeldLocked is Held for a function of Update.
func (s *Subject[T]) HeldLocked() int {
	held := s.log.held()
	for _, sub := range s.subs {
		if sub.backlog != nil {
			held += sub.backlog.(interface{ size() int }).size()
		}
	}
	return held
}

func (l *log[T]) held() int {
	held := cap(l.values) + cap(l.former.values)
	for _, older := range l.older {
		held += cap(older.values)
	}
	return held
}

// Room returns for how many values the subject has memory to remember them.
func (r *ReplaySubject[T]) Room() (n int) {
	r.subject.View(func() { n = len(r.history.last.slots) })
	return n
}

func (s *shelf[T]) size() int        { return cap(s.values) }
func (c *coalescer[T, K]) size() int { return cap(c.values) + len(c.index) }
