package diff

import (
	"context"

	"github.com/relaystream/autoconfig/decode"
)

// put applies a listing to t, between begin and the next begin. It calls upsert for every entry that counts, in their
// order, and then omit for every value that is not listed, in the order of addition. Of several entries with one ID
// the last counts, and none of them if the ID was marked before. What is not listed is forgotten, with its version. If
// ctx ends meanwhile, put stops and returns the context's cause.
func put[ID decode.EnvironmentID | decode.FilterID, Rep, V any](
	ctx context.Context, t *Table[ID, V], entries []decode.Entry[ID, Rep],
	upsert func(*slot[ID, V], *decode.Entry[ID, Rep]), omit func(V),
) error {
	slots := make([]*slot[ID, V], len(entries))
	defer func() { t.discard(slots) }()
	// Backwards, so that the entry that counts is the first of its ID.
	for i := len(entries) - 1; i >= 0; i-- {
		if stopped(ctx, i) {
			return context.Cause(ctx)
		}
		slots[i] = t.mark(entries[i].ID)
	}
	for i, s := range slots {
		if stopped(ctx, i) {
			return context.Cause(ctx)
		}
		if s != nil {
			upsert(s, &entries[i])
		}
	}
	n := 0
	for old := range t.sweep {
		omit(old)
		if n++; stopped(ctx, n) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// stopped reports whether ctx has ended. It looks only at every 64th step, to keep the steps cheap.
func stopped(ctx context.Context, step int) bool { return step%64 == 0 && ctx.Err() != nil }

// begin begins a put of n entries.
func (t *Table[K, V]) begin(n int) {
	t.puts++
	if len(t.slots) == 0 {
		t.slots = make(map[K]*slot[K, V], n)
	}
}

// mark records that the put lists key. It returns the slot of key, or nil if the put listed it already.
func (t *Table[K, V]) mark(key K) *slot[K, V] {
	s := t.slot(key)
	if s.listed == t.puts {
		return nil
	}
	s.listed = t.puts
	return s
}

// sweep forgets what the put did not list, and yields the values.
func (t *Table[K, V]) sweep(yield func(old V) bool) {
	for s := t.live.first; s != nil; {
		next := s.next
		if s.listed != t.puts {
			t.drop(s)
			if !yield(t.bury(s)) {
				return
			}
		}
		s = next
	}
	for s := t.tombstones.first; s != nil; {
		next := s.next
		if s.listed != t.puts {
			t.forget(&t.tombstones, s)
		}
		s = next
	}
}

// discard forgets the slots that are still unknown, because their entries could not be used.
func (t *Table[K, V]) discard(slots []*slot[K, V]) {
	for i := 0; t.unused > 0 && i < len(slots); i++ {
		if s := slots[i]; s != nil && s.state == unknown {
			t.unused--
			t.drop(s)
		}
	}
}
