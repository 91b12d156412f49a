package rx_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/reactivex/rxgo/v2"
)

// The programs of ../MIGRATION.md, as they are with RxGo.

func Example_migrateList() {
	squares := rxgo.Just(1, 2, 3, 4)().
		Filter(func(i interface{}) bool { return i.(int)%2 == 0 }).
		Map(func(_ context.Context, i interface{}) (interface{}, error) { return i.(int) * i.(int), nil })
	fmt.Println(squares.ToSlice(0))
	// Output: [4 16] <nil>
}

func Example_migrateChannel() {
	lines := make(chan rxgo.Item, 3)
	lines <- rxgo.Of("1")
	lines <- rxgo.Of("2")
	lines <- rxgo.Of("x")
	numbers := rxgo.FromChannel(lines).
		Map(func(_ context.Context, i interface{}) (interface{}, error) { return strconv.Atoi(i.(string)) })
	for item := range numbers.Observe() {
		if item.Error() {
			fmt.Println("ended:", item.E)
			break
		}
		fmt.Println(item.V)
	}
	// Output:
	// 1
	// 2
	// ended: strconv.Atoi: parsing "x": invalid syntax
}

func Example_migrateSource() {
	countdown := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		for n := 3; n > 0; n-- {
			if !rxgo.Of(n).SendContext(ctx, next) {
				return
			}
		}
	}})
	fmt.Println(countdown.ToSlice(0))
	// Output: [3 2 1] <nil>
}

func Example_migratePoll() {
	status := newStatus()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := rxgo.Interval(rxgo.WithDuration(time.Millisecond), rxgo.WithContext(ctx)).
		Map(func(ctx context.Context, _ interface{}) (interface{}, error) { return status(ctx) }).
		Filter(func(s interface{}) bool { return s == "done" })
	item, err := done.First().Get()
	fmt.Println(item.V, err)
	// Output: done <nil>
}

func Example_migrateRetry() {
	fetch := newFetch()
	patient := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		page, err := fetch(ctx)
		if err != nil {
			next <- rxgo.Error(err)
			return
		}
		next <- rxgo.Of(page)
	}}).BackOffRetry(backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Millisecond), 3))
	item, err := patient.First().Get()
	fmt.Println(item.V, err)
	// Output: page <nil>
}

// Compiled, but not run: what it prints varies.
func Example_migrateBatches() {
	batches := rxgo.Just(1, 2, 3, 4, 5)().BufferWithTimeOrCount(rxgo.WithDuration(time.Minute), 2)
	fmt.Println(batches.ToSlice(0))
}

func Example_migrateParallel() {
	type numbered struct{ number, square int }
	squares := rxgo.Just(1, 2, 3)().
		Map(func(_ context.Context, i interface{}) (interface{}, error) {
			return numbered{i.(int), i.(int) * i.(int)}, nil
		}, rxgo.WithPool(4)).
		Serialize(1, func(i interface{}) int { return i.(numbered).number })
	fmt.Println(squares.ToSlice(0))
	// Output: [{1 1} {2 4} {3 9}] <nil>
}

func Example_migrateRequests() {
	load := func(item rxgo.Item) rxgo.Observable { return rxgo.Just(item.V, 10*item.V.(int))() }
	rows := rxgo.Just(1, 2, 3)().FlatMap(load, rxgo.WithPool(4))
	item, err := rows.Count().Get()
	fmt.Println(item.V, err)
	// Output: 6 <nil>
}

func Example_migrateFallback() {
	primary := rxgo.Thrown(errors.New("down"))
	either := primary.OnErrorResumeNext(func(err error) rxgo.Observable {
		return rxgo.Just("secondary")()
	})
	fmt.Println(either.ToSlice(0))
	// Output: [secondary] <nil>
}

func Example_migrateSubject() {
	items := make(chan rxgo.Item)
	news := rxgo.FromChannel(items, rxgo.WithPublishStrategy())
	first := news.Map(keep).Observe()
	second := news.Map(keep).Observe()
	news.Connect(context.Background())
	go func() {
		defer close(items)
		items <- rxgo.Of("one")
		items <- rxgo.Of("two")
	}()
	for item := range first {
		fmt.Println(item.V, (<-second).V)
	}
	// Output:
	// one one
	// two two
}

func keep(_ context.Context, i interface{}) (interface{}, error) { return i, nil }

// newStatus returns a job's status, which is "done" at the third question.
func newStatus() func(context.Context) (string, error) {
	asked := 0
	return func(context.Context) (string, error) {
		if asked++; asked < 3 {
			return "running", nil
		}
		return "done", nil
	}
}

// newFetch returns a request that succeeds at the third attempt.
func newFetch() func(context.Context) (string, error) {
	attempts := 0
	return func(context.Context) (string, error) {
		if attempts++; attempts < 3 {
			return "", errors.New("no answer")
		}
		return "page", nil
	}
}
