package stream

// ConcatAll yields the values of the observables that os yields, one observable after the other: os
// waits while one is running. It is ConcatMap for values that are observables already.
//
//	os  ──a────b──|
//	a     ──1──2──|
//	b               ──3──|
//	    ────1──2──────3──|
func ConcatAll[T any](os Observable[Observable[T]]) Observable[T] {
	need(os != nil, "ConcatAll")
	return ConcatMap(os, itself[T])
}

// MergeAll yields the values of the observables that os yields as they come, with at most n of the
// observables running at a time: os waits while there are n. It is FlatMap for values that are
// observables already, with its goroutines and its prefetching. MergeAll panics if n is less than 1.
//
//	os  ──a──b─────────|
//	a     ──1──2──|
//	b        ──3──4──|
//	2   ────1──23─4────|
func MergeAll[T any](os Observable[Observable[T]], n int) Observable[T] {
	need(os != nil, "MergeAll")
	atLeastOne(n, "MergeAll")
	return FlatMap(os, n, itself[T])
}

func itself[T any](o Observable[T]) Observable[T] { return o }
