package stream

import "context"

// Merge yields the values of all sources, each on a goroutine of its own, in the order in which they
// come; the values of one source keep their order. It completes when all have. The first error
// stops the others and is returned after the values that came before it. It fetches ahead, as the
// package comment describes. A single source needs no goroutine.
//
//	a  ──1─────2──|
//	b  ────x──────y──|
//	   ──1─x───2──y──|
//
// Concurrency: the sources' goroutines meet in the intake, which puts their values in one order, and
// keeps the first error or, failing that, the completion of the last.
func Merge[T any](sources ...Observable[T]) Observable[T] {
	need(allThere(sources), "Merge")
	if len(sources) == 1 {
		return sources[0]
	}
	return func(ctx context.Context, yield func(T) bool) error {
		if len(sources) == 0 {
			return context.Cause(ctx)
		}
		in := newIntake(ctx, Block[T](prefetch))
		defer in.stop()
		in.start(sources...)
		return in.run(ctx, yield)
	}
}
