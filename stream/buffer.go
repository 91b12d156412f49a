package stream

import "context"

// Buffer puts an asynchronous border between o, which runs on a goroutine of its own, and the
// subscriber: up to the policy's limit, and beyond it according to the policy, o does not wait for
// it. With FailSlow, o is stopped when the subscription has failed.
func Buffer[T any](o Observable[T], p Policy[T]) Observable[T] {
	return func(ctx context.Context, yield func(T) bool) error {
		in := newIntake(ctx, p)
		defer in.stop()
		in.start(o)
		return in.run(ctx, yield)
	}
}
