package stream

import (
	"context"
	"errors"
)

// Chan subscribes on one goroutine of its own, which sends the values to a channel with room for
// size of them, and closes it when the sequence has ended. A full channel makes the sequence wait.
//
// The function stop ends the subscription, waits until it is gone, and returns the error that ended
// the sequence: nil if it completed, or if it was stop that ended it. Values that are still in the
// channel stay there. stop may be called repeatedly, and from several goroutines, but not from a
// callback of o, whose end it would wait for. A caller that stops reading before values is closed must
// call stop; after the close of values it only returns the error:
//
//	values, stop := o.Chan(ctx, 0)
//	for v := range values {
//		use(v)
//	}
//	return stop()
//
// The channel is made with all of its room, as by make. To let many values wait in memory that grows
// with them, use Chan(ctx, 0) of a Buffer. Chan panics if size is negative.
//
// Concurrency: the goroutine alone touches err until it closes ended, and stop reads it after that.
func (o Observable[T]) Chan(ctx context.Context, size int) (values <-chan T, stop func() error) {
	need(o != nil, "Chan")
	// A value of this call alone: what is inherited from a Chan further out is a cancellation like any other.
	stopped := errors.New("stream: stopped by its subscriber")
	ctx, cancel := context.WithCancelCause(ctx)
	sent := make(chan T, size)
	ended := make(chan struct{})
	err := errGoexit // until o returns
	go func() {
		defer close(ended)
		defer cancel(nil)
		defer close(sent)
		if err = o.sendTo(ctx, sent); errors.Is(err, stopped) {
			err = nil
		}
	}()
	return sent, func() error {
		cancel(stopped)
		<-ended
		return err
	}
}

// sendTo subscribes and sends the values until the sequence has ended or ctx is cancelled.
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
		return context.Cause(ctx)
	}
	return err
}
