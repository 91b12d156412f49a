package stream

import "context"

// FlatMap yields the values of all inner observables that f makes of the values of o, as they come,
// with at most n of them running at a time: o waits while there are n. o and the inner ones have
// goroutines of their own, and f is called on that of o. It fetches ahead and ends as Merge does.
// FlatMap panics if n is less than 1.
//
//	o           ──1──────2──────────|
//	x → x─x──|  ──1──1───2──2──|
//
// Concurrency: everything runs in one intake. o's goroutine takes a token for each inner observable it
// starts, which gives it back when it has completed; both waits, for a token and for room, end with the
// intake's context.
func FlatMap[T, U any](o Observable[T], n int, f func(T) Observable[U]) Observable[U] {
	need(o != nil && f != nil, "FlatMap")
	atLeastOne(n, "FlatMap")
	return func(ctx context.Context, yield func(U) bool) error {
		in := newIntake(ctx, Block[U](prefetch))
		defer in.stop()
		running := make(chan struct{}, n)
		in.start(func(ctx context.Context, _ func(U) bool) error {
			return o(ctx, func(v T) bool {
				select {
				case running <- struct{}{}:
				case <-ctx.Done():
				}
				if ctx.Err() != nil {
					return false // a select picks at random when both are ready
				}
				in.start(returning(made(f(v), "FlatMap"), running))
				return true
			})
		})
		return in.run(ctx, yield)
	}
}

// returning is o with a token that it gives back when it has completed. After an error no other one
// is to begin, so that the token is kept.
func returning[T any](o Observable[T], tokens <-chan struct{}) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		err := o(ctx, yield)
		if err == nil {
			<-tokens
		}
		return err
	}
}
