package stream_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// TestTakeAsksForNoMore: Take subscribes never for less than one value, for there may be something to
// pay for it, else once; and what it subscribed to is not asked for a value that is not passed on.
func TestTakeAsksForNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-1, 10).Draw(t, "n")
		there := rapid.IntRange(0, 10).Draw(t, "there")
		subscriptions, asked := 0, 0
		source := ints(func(_ context.Context, yield func(int) bool) error {
			subscriptions++
			for asked < there {
				if asked++; !yield(asked) {
					return nil
				}
			}
			return nil
		})
		passed, err := stream.Take(source, n).Count(t.Context())
		if want := min(max(n, 0), there); passed != want || asked != want || err != nil {
			t.Errorf("%d passed of %d asked for, want %d; %v", passed, asked, want, err)
		}
		if want := min(max(n, 0), 1); subscriptions != want {
			t.Errorf("%d subscriptions, want %d", subscriptions, want)
		}
	})
}

// TestNothingBeginsCancelled: no function of the user's is called under a context that was cancelled
// before the subscription.
func TestNothingBeginsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errCause)
	for name, o := range map[string]func(called func()) ints{
		"FromSeq":  func(called func()) ints { return stream.FromSeq(func(func(int) bool) { called() }) },
		"FromSeq2": func(called func()) ints { return stream.FromSeq2(func(func(int, error) bool) { called() }) },
		"FromFunc": func(called func()) ints {
			return stream.FromFunc(func(context.Context) (int, error) {
				called()
				return 0, nil
			})
		},
		"Defer": func(called func()) ints {
			return stream.Defer(func() ints {
				called()
				return stream.Empty[int]()
			})
		},
	} {
		if _, err := o(func() { t.Errorf("%s called its function", name) }).Collect(ctx); err != errCause {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReduceOfACancelledSubscription: a source that completes at the moment of the cancellation
// does not make a value of it.
func TestReduceOfACancelledSubscription(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	sum := stream.Reduce(stream.Just(1), 0, func(a, b int) int {
		cancel(errCause)
		return a + b
	})
	if values, err := sum.Collect(ctx); len(values) > 0 || err != errCause {
		t.Errorf("got %v, %v", values, err)
	}
}

// TestBatchesBelongToTheReceiver: they are not overwritten, and no append to one reaches the next.
func TestBatchesBelongToTheReceiver(t *testing.T) {
	batches, err := stream.BatchCount(stream.Just(1, 2, 3, 4, 5), 2).Collect(t.Context())
	for i, b := range batches {
		batches[i] = append(b, 9)
	}
	want := [][]int{{1, 2, 9}, {3, 4, 9}, {5, 9}}
	if !slices.EqualFunc(batches, want, slices.Equal[[]int]) || err != nil {
		t.Errorf("got %v, want %v; %v", batches, want, err)
	}
}

// TestMapErrStopsItsSource, even one that makes an error of it: the callback's is returned.
func TestMapErrStopsItsSource(t *testing.T) {
	o := stream.MapErr(rude, func(int) (int, error) { return 0, errMap })
	if values, err := o.Collect(t.Context()); len(values) > 0 || err != errMap {
		t.Errorf("got %v, %v", values, err)
	}
}

// TestConcatMapOfRudeInner: what stops an inner observable is the subscriber, not a failure.
func TestConcatMapOfRudeInner(t *testing.T) {
	o := stream.ConcatMap(stream.Just(1, 2), func(int) ints { return rude })
	if v, err := stream.Take(o, 3).Collect(t.Context()); len(v) != 3 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

// TestCatchOfRudeHandler: nor is the observable of a handler blamed for it.
func TestCatchOfRudeHandler(t *testing.T) {
	o := stream.Catch(stream.Fail[int](errEnd), func(error) ints { return rude })
	if err := o(t.Context(), func(int) bool { return false }); err != nil {
		t.Error(err)
	}
}

// TestCatchAndRetryLeaveCancellationAlone: it is no failure, not even if the source fails of it with
// another error.
func TestCatchAndRetryLeaveCancellationAlone(t *testing.T) {
	broken := func(ctx context.Context, _ func(int) bool) error {
		<-ctx.Done()
		return errors.New("connection reset")
	}
	unexpected := func(err error) { t.Errorf("told of %v", err) }
	for name, o := range map[string]ints{
		"Catch": stream.Catch(broken, func(err error) ints {
			unexpected(err)
			return stream.Just(1)
		}),
		"Retry": stream.Retry(broken, func() stream.RetryPolicy {
			return func(err error) time.Duration {
				unexpected(err)
				return 0
			}
		}),
		"Materialize": stream.Map(stream.Materialize(broken), func(n stream.Notification[int]) int {
			unexpected(n.Err)
			return 0
		}),
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		if _, err := o.Collect(ctx); err != errCause {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGoexitOnAnOperatorsGoroutine ends the sequence with an error: half of it must not pass for the
// whole, and nobody may wait for the rest.
func TestGoexitOnAnOperatorsGoroutine(t *testing.T) {
	exits := ints(func(_ context.Context, yield func(int) bool) error {
		if yield(1) {
			runtime.Goexit()
		}
		return nil
	})
	for name, o := range map[string]ints{
		"Merge":   stream.Merge(stream.Just(2), exits),
		"Buffer":  stream.Buffer(exits, stream.Block[int](1)),
		"Share":   stream.Share(exits, stream.Block[int](1)),
		"GroupBy": stream.GroupBy(exits, identity, stream.Block[int](1), func(_ int, group ints) ints { return group }),
		"MapParallel, its source": stream.MapParallel(exits, 2, func(_ context.Context, i int) (int, error) {
			return i, nil
		}),
		"MapParallel, its function": stream.MapParallel(stream.Just(1, 2, 3), 2, func(_ context.Context, i int) (int, error) {
			runtime.Goexit()
			return i, nil
		}),
		"Chan": func(ctx context.Context, yield func(int) bool) error {
			values, stop := exits.Chan(ctx, 0)
			for v := range values {
				yield(v)
			}
			return stop()
		},
	} {
		if values, err := o.Collect(t.Context()); err == nil {
			t.Errorf("%s completed after %v", name, values)
		}
	}
}

// TestCancellationFromFurtherOut reaches what is further in as a cancellation, also if it has the same
// reason as one of its own would have.
func TestCancellationFromFurtherOut(t *testing.T) {
	started := make(chan struct{})
	notifier := stream.Defer(func() ints { <-started; return stream.Just(1) })
	for name, inner := range map[string]ints{
		"TakeUntil": stream.TakeUntil(stream.Never[int](), stream.Never[int]()),
		"Chan": func(ctx context.Context, yield func(int) bool) error {
			values, stop := stream.Never[int]().Chan(ctx, 0)
			for range values {
			}
			return stop()
		},
	} {
		for reason, outer := range map[string]func(ints){
			"TakeUntil": func(o ints) { _, _ = stream.TakeUntil(o, notifier).Collect(t.Context()) },
			"Chan": func(o ints) {
				_, stop := o.Chan(t.Context(), 0)
				<-started
				_ = stop()
			},
		} {
			started = make(chan struct{})
			outer(func(ctx context.Context, yield func(int) bool) error {
				close(started)
				err := inner(ctx, yield)
				if err == nil || err != context.Cause(ctx) {
					t.Errorf("%s within %s: %v, want %v", name, reason, err, context.Cause(ctx))
				}
				return err
			})
		}
	}
}
