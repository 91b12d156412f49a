package stream_test

import (
	"context"
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
