package stream

import (
	"context"
	"slices"
)

// CombineLatestSlice is CombineLatest for any number of sources of one type. Once every source has a
// value, it yields the latest of each at every value of any of them, in the order of the sources, in a
// slice that belongs to the receiver. It completes when all sources have completed, or as soon as one
// has without a value; without a source it completes at once. The first error ends it.
//
//	a  ──1───────2──────|
//	b  ─────x───────y───|
//	   ─────1x──2x──2y──|
//
// To combine sources of different types, make them changes of one state: Map each source to functions
// that change the state, Merge these, and apply them with Scan.
//
// Concurrency: that of Merge, which brings the values and the completions to the subscriber's
// goroutine, the only one to touch a combiner.
func CombineLatestSlice[T any](sources ...Observable[T]) Observable[[]T] {
	need(allThere(sources), "CombineLatestSlice")
	numbered := make([]Observable[numbered[T]], len(sources))
	for i, o := range sources {
		numbered[i] = number(o, i)
	}
	all := Merge(numbered...)
	return func(ctx context.Context, yield func([]T) bool) error {
		c := &combiner[T]{latest: make([]T, len(sources)), has: make([]bool, len(sources)), yield: yield}
		err := all(ctx, c.add)
		return unless(c.stopped, err)
	}
}

// A numbered is what a source does, with the source's number. An error is not among it: it stops
// the other sources without waiting for the subscriber to hear of it.
type numbered[T any] struct {
	source    int
	value     T
	completed bool
}

func number[T any](o Observable[T], i int) Observable[numbered[T]] {
	values := Map(o, func(v T) numbered[T] { return numbered[T]{source: i, value: v} })
	return Concat(values, Just(numbered[T]{source: i, completed: true}))
}

// A combiner is one subscription to a CombineLatestSlice.
type combiner[T any] struct {
	latest  []T
	has     []bool
	ready   int // how many sources have a value
	yield   func([]T) bool
	stopped bool
}

// add acts upon what a source has done, and reports whether to go on.
func (c *combiner[T]) add(n numbered[T]) bool {
	if n.completed {
		c.stopped = !c.has[n.source]
		return !c.stopped
	}
	if !c.has[n.source] {
		c.has[n.source] = true
		c.ready++
	}
	c.latest[n.source] = n.value
	if c.ready == len(c.latest) {
		c.stopped = !c.yield(slices.Clone(c.latest))
	}
	return !c.stopped
}
