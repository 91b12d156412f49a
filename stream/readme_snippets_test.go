package stream_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

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
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		told := func(string) error { return self.Signal(sig) }
		if err := run(stream.StartWith(stream.Never[string](), "alert"), told); err != nil {
			t.Errorf("%v became %v", sig, err)
		}
	}
}

// TestTold: the unfinished batch of a program that is told to stop is stored.
func TestTold(t *testing.T) {
	run := func(ctx context.Context, readings ints, store func([]int) error) error {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(signals)
		untilTold := stream.TakeUntil(readings, stream.FromChan(signals))
		return stream.BatchTime(untilTold, 500, time.Minute).ForEach(ctx, store)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errCause)
	defer cancel()
	readings := stream.Concat(stream.Just(1, 2), stream.Defer(func() ints {
		if err := self.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		return stream.Never[int]()
	}))
	var stored []int
	err = run(ctx, readings, func(batch []int) error {
		stored = append(stored, batch...)
		return nil
	})
	if !slices.Equal(stored, []int{1, 2}) || err != nil {
		t.Errorf("stored %v, %v", stored, err)
	}
}

type Click struct{ User, Page string }

func (c Click) user() string { return c.User }

func processClicks(
	ctx context.Context, connect stream.Observable[Click], store func([]Click) (string, error), report func(string) error,
) error {
	// connect is one connection: an observable that yields clicks until it fails.
	reconnecting := stream.Retry(connect, stream.Backoff(func() backoff.BackOff {
		return backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(0)) // never gives up
	}))
	clicks := stream.Share(reconnecting, stream.Block[Click](100)) // one connection for both of the following

	batches := stream.BatchTime(clicks, 500, time.Second) // 500 clicks, or those of a second
	stored := stream.MapErr(batches, store)

	sessions := stream.GroupByUntil(clicks, Click.user, stream.Block[Click](10),
		func(_ string, session stream.Observable[Click]) stream.Observable[Click] {
			return stream.Debounce(session, 30*time.Minute) // ends a session that has been quiet for so long
		},
		func(user string, session stream.Observable[Click]) stream.Observable[string] {
			count := stream.Reduce(session, 0, func(n int, _ Click) int { return n + 1 })
			return stream.Map(count, func(n int) string { return fmt.Sprint(user, ": ", n, " clicks") })
		})

	return stream.Merge(stored, sessions).ForEach(ctx, report)
}

// TestClicks: the larger program survives two failures, stores everything and reports every session.
func TestClicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 24*time.Hour, errCause)
		defer cancel()
		connections := 0
		connect := stream.Defer(func() stream.Observable[Click] {
			clicks := stream.Empty[Click]()
			switch connections++; connections {
			case 2:
				clicks = stream.Just(Click{"ann", "/"}, Click{"bob", "/"})
			case 3:
				later := stream.Delay(stream.Just(Click{"bob", "/again"}), time.Hour)
				clicks = stream.Concat(stream.Just(Click{"ann", "/news"}), later, stream.Never[Click]())
			}
			return stream.Concat(clicks, stream.Fail[Click](errBoom))
		})
		stored, reports := 0, []string{}
		store := func(batch []Click) (string, error) {
			stored += len(batch)
			return "stored", nil
		}
		err := processClicks(ctx, connect, store, func(s string) error {
			reports = append(reports, s)
			return nil
		})
		reports = slices.DeleteFunc(reports, func(s string) bool { return s == "stored" })
		slices.Sort(reports)
		if want := []string{"ann: 2 clicks", "bob: 1 clicks", "bob: 1 clicks"}; stored != 4 || !slices.Equal(reports, want) || err != errCause {
			t.Errorf("stored %d, reported %v, %v", stored, reports, err)
		}
	})
}
