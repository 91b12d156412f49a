package cache

import (
	"context"
	"errors"
	"time"
)

// grace is how long a call of a Store may go on after its context has ended.
const grace = 20 * time.Millisecond

// errGoexit is the error of a Store that called runtime.Goexit.
var errGoexit = errors.New("cache: runtime.Goexit in a Store")

// A turn is held by the call of a Store that is under way. It has room for one.
type turn chan struct{}

// await waits for the turn, unless ctx ends first.
func (t turn) await(ctx context.Context) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil { // select may have had the choice
		<-t
		return context.Cause(ctx)
	}
	return nil
}

// A result is what a call of a Store returns.
type result struct {
	data []byte
	err  error
}

// do calls f on a goroutine of its own when it is f's turn. If ctx ends, do returns its cause, at the latest after
// grace. A call that is still under way then keeps its turn until it returns, and its result is dropped.
func (t turn) do(ctx context.Context, f func(context.Context) ([]byte, error)) ([]byte, error) {
	if err := t.await(ctx); err != nil {
		return nil, err
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errGoexit}
		defer func() {
			<-t
			done <- r
		}()
		r.data, r.err = f(ctx)
	}()
	r, ok := await(ctx, done)
	if !ok || r.err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return r.data, r.err
}

// await returns the result, unless it comes later than grace after the end of ctx.
func await(ctx context.Context, done <-chan result) (r result, ok bool) {
	select {
	case r = <-done:
		return r, true
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r = <-done:
		return r, true
	case <-late.C:
		return r, false
	}
}
