package stream_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"testing"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// What the README shows beside its program.

func Ticker(n int) stream.Observable[int] {
	return stream.Take(stream.Scan(stream.Repeat(stream.Just(1)), 0, plus), n)
}

func TestTicker(t *testing.T) {
	streamtest.Test(t, func() stream.Observable[int] { return Ticker(3) }, []int{1, 2, 3}, nil)
}

// TestInterruptible: a program that is told to stop ends well, one whose sequence fails with the error.
func TestInterruptible(t *testing.T) {
	run := func(alerts stream.Observable[string], notify func(string) error) error {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err := alerts.ForEach(ctx, notify)
		if err != nil && ctx.Err() == nil {
			return err // the sequence failed; otherwise it was told to stop
		}
		return nil
	}
	if err := run(stream.Fail[string](errEnd), func(string) error { return nil }); err != errEnd {
		t.Errorf("a failure became %v", err)
	}
	interrupt := func(string) error {
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		return self.Signal(os.Interrupt)
	}
	if err := run(stream.StartWith(stream.Never[string](), "alert"), interrupt); err != nil {
		t.Errorf("an interrupt became %v", fmt.Sprint(err))
	}
}
