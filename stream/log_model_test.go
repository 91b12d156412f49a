package stream

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A logTest holds a log, whose values are their own numbers, to what its readers should find.
type logTest struct {
	*rapid.T
	log[uint64]
	readers []*logReader
}

type logReader struct {
	next, reading uint64
	batch         []uint64
}

// TestLogBehavesLikeASlice has readers take, skip and leave at random. Nobody misses a value, what is being read stays as
// it is, and the log has no more memory than its comment says.
func TestLogBehavesLikeASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lt := &logTest{T: t}
		for range 50 {
			lt.step()
		}
	})
}

func (t *logTest) step() {
	switch rapid.SampledFrom([]string{"publish", "publish", "take", "take", "skip", "join", "leave", "reset"}).Draw(t.T, "step") {
	case "publish":
		for range rapid.SampledFrom([]int{1, 3, 63, 64, 65, 200, 900, 1025, 5000}).Draw(t.T, "values") {
			t.publish()
		}
	case "take":
		if r := t.reader(); r != nil {
			for range rapid.SampledFrom([]int{1, 2, 16, 100}).Draw(t.T, "batches") {
				t.take(r)
			}
		}
	case "skip":
		if r := t.reader(); r != nil {
			r.next += rapid.Uint64Range(0, t.end()-r.next).Draw(t.T, "skipped")
			t.check("since", t.since(r.next), r.next, t.end())
		}
	case "join":
		t.readers = append(t.readers, &logReader{next: t.end(), reading: math.MaxUint64})
	case "leave":
		if r := t.reader(); r != nil {
			t.readers = slices.DeleteFunc(t.readers, func(other *logReader) bool { return other == r })
		}
	case "reset":
		for _, r := range t.readers {
			for t.take(r); len(r.batch) > 0; t.take(r) {
			}
		}
		end := t.end()
		if t.reset(); t.end() != end || len(t.values) > 0 || t.held() > 2*maxBlock {
			t.Fatal("reset")
		}
	}
}

// reader draws one of the readers, or nil if there is none.
func (t *logTest) reader() *logReader {
	if len(t.readers) == 0 {
		return nil
	}
	return rapid.SampledFrom(t.readers).Draw(t.T, "reader")
}

func (t *logTest) publish() {
	if t.full() {
		next, read := t.end(), t.end()
		for _, r := range t.readers {
			next, read = min(next, r.next), min(read, r.reading)
		}
		t.turn(next, read)
		if n := int(t.end() - next); t.held() > n+n/15+3*maxBlock {
			t.Fatalf("memory for %d values, of which %d wait", t.held(), n)
		}
		if unused := t.values[len(t.values):cap(t.values)]; t.start < next || slices.Max(unused) > 0 {
			t.Fatal("values that were taken are repeated or still there")
		}
	}
	t.values = append(t.values, t.end())
}

func (t *logTest) take(r *logReader) {
	t.check("a batch at its end", r.batch, r.reading, r.reading+uint64(len(r.batch)))
	r.batch, r.reading = t.batch(r.next), r.next
	t.check("a batch", r.batch, r.next, min(r.next+maxBatch, t.end()))
	if r.next += uint64(len(r.batch)); len(r.batch) == 0 {
		r.reading = math.MaxUint64
	}
}

func (t *logTest) check(what string, values []uint64, from, to uint64) {
	for i, v := range values {
		if v != from+uint64(i) {
			t.Fatalf("%s has %d in place of %d", what, v, from+uint64(i))
		}
	}
	if len(values) != int(to-from) {
		t.Fatalf("%s has %d values, not %d", what, len(values), to-from)
	}
}

// TestLogUsesBlocksAgain: a log whose reader stays as far behind as it is needs no more memory.
func TestLogUsesBlocksAgain(t *testing.T) {
	for _, behind := range []uint64{0, 1, 100, 5000} {
		var l log[int]
		publish := func() {
			for range 10_000 {
				if l.full() {
					next := l.end() - min(behind, l.end())
					l.turn(next, next)
				}
				l.values = append(l.values, 1)
			}
		}
		if n := testing.AllocsPerRun(10, publish); n > 0 {
			t.Errorf("%g blocks for 10,000 values, %d of which wait", n, behind)
		}
	}
}
