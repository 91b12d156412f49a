package stream

import (
	"context"
	"errors"
)

// errStopped is the cause with which the stop function of Chan cancels.
var errStopped = errors.New("stream: stopped by its subscriber")

// Chan subscribes on one goroutine of its own, which sends the values to a channel with room for
// size of them, and closes it when the sequence has ended. A full channel makes the sequence wait.
//
// The function stop ends the subscription, waits until it is gone, and returns the error that
// ended the sequence: nil if it completed, or if it was stop that ended it. Values that are still
// in the channel stay there. stop may be called repeatedly, and from several goroutines, but not
// from a callback of o, whose end it would wait for. Whoever does not read values to their end
// must call stop; after the close of values it only tells the error:
//
//	values, stop := o.Chan(ctx, 0)
//	for v := range values {
//		use(v)
//	}
//	return stop()
//
// Chan panics if size is negative.
func (o Observable[T]) Chan(ctx context.Context, size int) (values <-chan T, stop func() error) {
	ctx, cancel := context.WithCancelCause(ctx)
	sent := make(chan T, size)
	ended := make(chan struct{})
	var err error
	go func() {
		defer close(ended)
		defer cancel(nil)
		defer close(sent)
		err = o.sendTo(ctx, sent)
	}()
	return sent, func() error {
		cancel(errStopped)
		<-ended
		return err
	}
}

// sendTo subscribes and sends the values until the sequence has ended or ctx is cancelled, which
// with errStopped as cause is no error.
func (o Observable[T]) sendTo(ctx context.Context, values chan<- T) error {
	interrupted := false
	err := o(ctx, func(v T) bool {
		select {
		case values <- v:
		case <-ctx.Done():
			interrupted = true
		}
		return !interrupted
	})
	if interrupted {
		err = context.Cause(ctx)
	}
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}
