package stream_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// outcome is what a subscriber sees that asks to stop at value stop, or never if that is 0.
func outcome(o ints, stop int) (s sequence) {
	s.err = o(context.Background(), func(v int) bool {
		s.values = append(s.values, v)
		return len(s.values) != stop
	})
	return s
}

func equal(a, b sequence) bool {
	return slices.Equal(a.values, b.values) && errors.Is(a.err, b.err) && errors.Is(b.err, a.err)
}

// drawn makes a finite sequence of small numbers that completes or fails.
var drawn = rapid.Custom(func(t *rapid.T) sequence {
	s := sequence{values: rapid.SliceOfN(rapid.IntRange(-3, 5), 0, 8).Draw(t, "values")}
	if rapid.Bool().Draw(t, "fails") {
		s.err = errEnd
	}
	return s
})

func (s sequence) observable() ints {
	return stream.Concat(stream.Just(s.values...), stream.Fail[int](s.err))
}

// A law says that both sides are the same observable, whatever a, b and c are, for n and m ≥ 0.
type law struct {
	name  string
	sides func(a, b, c ints, n, m int) (left, right ints)
}

func laws() []law {
	double := func(v int) int { return 2 * v }
	inc := func(v int) int { return v + 1 }
	positive := func(v int) bool { return v > 0 }
	return []law{
		{"identity of Map", func(a, _, _ ints, _, _ int) (ints, ints) { return stream.Map(a, identity), a }},
		{"fusion of Map", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Map(stream.Map(a, double), inc), stream.Map(a, func(v int) int { return inc(double(v)) })
		}},
		{"Filter goes through Map", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Filter(stream.Map(a, inc), positive),
				stream.Map(stream.Filter(a, func(v int) bool { return positive(inc(v)) }), inc)
		}},
		{"Concat is associative", func(a, b, c ints, _, _ int) (ints, ints) {
			return stream.Concat(stream.Concat(a, b), c), stream.Concat(a, stream.Concat(b, c))
		}},
		{"Empty is neutral on the left", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Concat(stream.Empty[int](), a), a
		}},
		{"Empty is neutral on the right", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Concat(a, stream.Empty[int]()), a
		}},
		{"Map distributes over Concat", func(a, b, _ ints, _, _ int) (ints, ints) {
			return stream.Map(stream.Concat(a, b), inc), stream.Concat(stream.Map(a, inc), stream.Map(b, inc))
		}},
		{"the lesser Take counts", func(a, _, _ ints, n, m int) (ints, ints) {
			return stream.Take(stream.Take(a, n), m), stream.Take(a, min(n, m))
		}},
		{"Skips add up", func(a, _, _ ints, n, m int) (ints, ints) {
			return stream.Skip(stream.Skip(a, n), m), stream.Skip(a, n+m)
		}},
		{"Take and Skip are the whole", func(a, _, _ ints, n, _ int) (ints, ints) {
			return stream.Concat(stream.Take(a, n), stream.Skip(a, n)), a
		}},
		{"TakeWhile and SkipWhile are the whole", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Concat(stream.TakeWhile(a, positive), stream.SkipWhile(a, positive)), a
		}},
		{"Scan of a Concat continues", func(a, b, _ ints, _, _ int) (ints, ints) {
			rest := stream.ConcatMap(stream.Reduce(a, 0, plus), func(s int) ints { return stream.Scan(b, s, plus) })
			return stream.Scan(stream.Concat(a, b), 0, plus), stream.Concat(stream.Scan(a, 0, plus), rest)
		}},
		{"ConcatMap is associative", func(a, b, c ints, _, _ int) (ints, ints) {
			f := func(v int) ints { return stream.Map(b, func(w int) int { return v + w }) }
			g := func(v int) ints { return stream.Map(c, func(w int) int { return v * w }) }
			return stream.ConcatMap(stream.ConcatMap(a, f), g),
				stream.ConcatMap(a, func(v int) ints { return stream.ConcatMap(f(v), g) })
		}},
		{"batches contain everything that completes", func(a, _, _ ints, n, _ int) (ints, ints) {
			completing := stream.OnErrorResume(a, stream.Empty[int]())
			return stream.ConcatMap(stream.BatchCount(completing, n+1), func(b []int) ints { return stream.Just(b...) }), completing
		}},
		{"Dematerialize undoes Materialize", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Dematerialize(stream.Materialize(a)), a
		}},
		{"Catch of Fail is the handler", func(_, b, _ ints, _, _ int) (ints, ints) {
			return stream.Catch(stream.Fail[int](errEnd), func(error) ints { return b }), b
		}},
		{"Catch is associative", func(a, b, c ints, _, _ int) (ints, ints) {
			to := func(o ints) func(error) ints { return func(error) ints { return o } }
			return stream.Catch(stream.Catch(a, to(b)), to(c)),
				stream.Catch(a, func(error) ints { return stream.Catch(b, to(c)) })
		}},
		{"Retry without patience is nothing", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Retry(a, times(0, 0)), a
		}},
		{"Retry once is Catch with itself", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Retry(a, times(1, 0)), stream.Catch(a, func(error) ints { return a })
		}},
	}
}

// TestLaws: both sides look the same to a subscriber, however many values it takes.
func TestLaws(t *testing.T) {
	for _, law := range slices.Concat(laws(), furtherLaws()) {
		t.Run(law.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				left, right := law.sides(
					drawn.Draw(t, "a").observable(), drawn.Draw(t, "b").observable(), drawn.Draw(t, "c").observable(),
					rapid.IntRange(0, 9).Draw(t, "n"), rapid.IntRange(0, 9).Draw(t, "m"))
				stop := rapid.IntRange(0, 9).Draw(t, "stop")
				if l, r := outcome(left, stop), outcome(right, stop); !equal(l, r) {
					t.Fatalf("left %v, right %v", l, r)
				}
			})
		})
	}
}

// TestChains: a chain of operators does what the chain of their models does, subscription after
// subscription.
func TestChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawn.Draw(t, "source")
		o := want.observable()
		ops := synchronous()
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(ops)-1), 0, 6).Draw(t, "operators") {
			t.Log(ops[i].name)
			o, want = ops[i].apply(o), ops[i].model(want)
		}
		for range 2 {
			if got := outcome(o, 0); !equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	})
}
