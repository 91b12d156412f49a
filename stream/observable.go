package stream

import "context"

// An Observable is a cold sequence of values: calling it subscribes. It passes every value to
// yield, in order, and returns nil when the sequence has completed or yield asked to stop, else
// the error that ended it. The package comment states the contract that every Observable keeps.
type Observable[T any] func(ctx context.Context, yield func(T) bool) error
