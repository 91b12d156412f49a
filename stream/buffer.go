package stream

import "context"

// Buffer puts an asynchronous border between o, which runs on a goroutine of its own, and the
// subscriber: up to the policy's limit, and beyond it according to the policy, o does not wait for
// it. With FailSlow, o is stopped when the subscription has failed. It is what others call ObserveOn:
// the subscriber stays where it is, and the source gets a goroutine.
//
//	o              ──1─2─3─4─5──────────|
//	DropOldest(1)  ──1───────5──────────|   the subscriber is busy with 1 until 5 has come
//
// Concurrency: o's goroutine only publishes to the intake; all else is the subscriber's.
func Buffer[T any](o Observable[T], p Policy[T]) Observable[T] {
	need(o != nil, "Buffer")
	return func(ctx context.Context, yield func(T) bool) error {
		in := newIntake(ctx, p)
		defer in.stop()
		in.start(o)
		return in.run(ctx, yield)
	}
}
