package stream

import "time"

// A history is what a newcomer is told of the past: the last values, up to a number and, if maxAge is
// positive, an age.
type history[T any] struct {
	last   ring[TimestampValue[T]]
	maxAge time.Duration
}

func newHistory[T any](n int, maxAge time.Duration) history[T] {
	return history[T]{last: ring[TimestampValue[T]]{room: n}, maxAge: maxAge}
}

func (h *history[T]) add(v T) {
	entry := TimestampValue[T]{Value: v}
	if h.maxAge > 0 {
		h.expire()
		entry.Timestamp = time.Now()
	}
	h.last.add(entry)
}

// recent returns the values in order, in a slice of their own.
func (h *history[T]) recent() []T {
	h.expire()
	values := make([]T, h.last.len)
	for i := range values {
		values[i] = h.last.at(i).Value
	}
	return values
}

// expire forgets the values that are too old.
func (h *history[T]) expire() {
	if h.maxAge <= 0 {
		return
	}
	limit := time.Now().Add(-h.maxAge)
	for h.last.len > 0 && !h.last.at(0).Timestamp.After(limit) {
		h.last.drop()
	}
}
