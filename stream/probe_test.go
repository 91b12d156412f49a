package stream_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// TestReadySourcesCount, as if sources were subscribed to one after the other, and hold up nobody.
func TestReadySourcesCount(t *testing.T) {
	never := stream.Never[int]()
	failing := stream.Concat(numbers(500), stream.Fail[int](errEnd))
	sums := stream.Map(numbers(500), func(v int) int { return 2 * v })
	long := stream.Filter(stream.FromSeq(naturals), func(v int) bool { return v == 100_000 })
	behavior := stream.NewBehavior(10)
	caught := func(o ints) ints { return stream.Catch(o, func(error) ints { return stream.Just(-1) }) }
	for name, c := range map[string]struct {
		o    ints
		want ints
	}{
		"Race of three":         {stream.Race(stream.Just(1), stream.Just(2), stream.Empty[int]()), stream.Just(1)},
		"Race, busy":            {stream.Race(stream.Take(long, 1), stream.Just(2)), stream.Just(100_000)},
		"Race, repeated":        {stream.Race(stream.Take(stream.Repeat(stream.Just(1)), 2), stream.Just(2)), stream.Just(1, 1)},
		"Race, one waits":       {stream.Race(never, stream.Just(2), stream.Empty[int]()), stream.Just(2)},
		"Race, one is empty":    {stream.Race(stream.Empty[int](), stream.Just(2)), stream.Empty[int]()},
		"WithLatestFrom":        {stream.WithLatestFrom(stream.Just(1, 2), stream.Just(9, 10), plus), stream.Just(11, 12)},
		"WithLatestFrom, waits": {stream.WithLatestFrom(stream.Just(1, 2), never, plus), stream.Empty[int]()},
		"WithLatestFrom, value": {stream.WithLatestFrom(stream.Just(1, 2), behavior.Observe(stream.Policy[int]{}), plus), stream.Just(11, 12)},
		"WithLatestFrom, a channel": {stream.Defer(func() ints {
			full := make(chan int, 1)
			full <- 10
			return stream.WithLatestFrom(stream.Just(1, 2), stream.FromChan(full), plus)
		}), stream.Just(11, 12)},
		"Zip, first fails":  {caught(stream.Zip(failing, numbers(501), plus)), stream.Concat(sums, stream.Just(-1))},
		"Zip, second fails": {caught(stream.Zip(stream.FromSeq(naturals), failing, plus)), stream.Concat(sums, stream.Just(-1))},
	} {
		t.Run(name, func(t *testing.T) {
			want, _ := c.want.Collect(t.Context())
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				for range 100 {
					if got, err := c.o.Collect(t.Context()); !slices.Equal(got, want) || err != nil {
						t.Fatalf("%v, %v, want %v", got, err, want)
					}
				}
				if took := time.Since(begin); took > 0 {
					t.Errorf("waited for %v", took)
				}
			})
		})
	}
}

// polling does not ask its context for Done.
func polling(ctx context.Context, _ func(int) bool) error {
	for ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	return context.Cause(ctx)
}

// TestHeldBackFor100ms at most is a value for a source that polls, and so hides that it waits.
func TestHeldBackFor100ms(t *testing.T) {
	later := stream.Delay(stream.Just(1), time.Second)
	for name, c := range map[string]struct {
		o    ints
		want time.Duration
	}{
		"Race":                  {stream.Race(polling, stream.Just(1)), 100 * time.Millisecond},
		"Race, later":           {stream.Race(polling, later), time.Second},
		"WithLatestFrom":        {stream.WithLatestFrom(stream.Just(1), polling, plus), 100 * time.Millisecond},
		"WithLatestFrom, later": {stream.WithLatestFrom(later, polling, plus), time.Second},
		"Zip":                   {stream.Zip(stream.Concat(stream.Just(1), stream.Fail[int](errEnd)), polling, plus), 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				_, _ = c.o.Collect(t.Context())
				if took := time.Since(begin); took < c.want || took > c.want+time.Millisecond {
					t.Errorf("took %v, want %v", took, c.want)
				}
			})
		})
	}
}

// computing does not ask its context for Done, and takes a while.
func computing(yield func(int) bool) {
	time.Sleep(50 * time.Millisecond)
	yield(0)
}

// TestRacePrecedence is that of the first argument which is ready, also among those that were held back.
func TestRacePrecedence(t *testing.T) {
	type key struct{}
	withValue := func(ctx context.Context, yield func(int) bool) error {
		return stream.FromSeq(computing)(context.WithValue(ctx, key{}, 1), yield)
	}
	for name, c := range map[string]struct {
		o    ints
		want int
	}{
		"behind one that hides that it waits": {stream.Race(polling, stream.Just(1), stream.Just(2), stream.Just(3)), 1},
		"with a context of its own":           {stream.Race(withValue, stream.Just(1)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 100 {
					if got, err := c.o.First(t.Context()); got != c.want || err != nil {
						t.Fatalf("%v, %v, want %v", got, err, c.want)
					}
				}
			})
		})
	}
}

// TestZipOfTwoFailures has the error of the source that has fewer values, for its next value would have
// been the counterpart of one that is there.
func TestZipOfTwoFailures(t *testing.T) {
	few := stream.Concat(numbers(3), stream.Fail[int](errEnd))
	many := stream.Concat(numbers(4), stream.Fail[int](errBoom))
	synctest.Test(t, func(t *testing.T) {
		for range 2000 {
			for _, o := range []ints{stream.Zip(few, many, plus), stream.Zip(many, few, plus)} {
				if got, err := o.Collect(t.Context()); len(got) != 3 || err != errEnd {
					t.Fatalf("%v, %v", got, err)
				}
			}
		}
	})
}

// TestPrintedContext: a source may print its context while it is in use.
func TestPrintedContext(t *testing.T) {
	prints := func(ctx context.Context, yield func(int) bool) error {
		done := make(chan string, 1)
		go func() { done <- fmt.Sprint(ctx) }()
		<-ctx.Done()
		if _, ok := ctx.(fmt.Stringer); !ok || <-done == "" {
			t.Errorf("package fmt reads the fields of %T", ctx)
		}
		return context.Cause(ctx)
	}
	if got, err := stream.Race(prints, stream.Just(2)).First(t.Context()); got != 2 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
