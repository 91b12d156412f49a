package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// Two subscribers, and one subscription to the source.
func ExampleShare() {
	connections := 0
	source := stream.Defer(func() stream.Observable[time.Time] {
		connections++
		return stream.Interval(time.Millisecond)
	})
	shared := stream.Share(source, stream.Policy[time.Time]{})
	pairs := stream.Zip(shared, shared, func(a, b time.Time) [2]time.Time { return [2]time.Time{a, b} })
	fmt.Println(stream.Take(pairs, 2).Count(context.Background()))
	fmt.Println(connections, "connection")
	// Output:
	// 2 <nil>
	// 1 connection
}

// Who comes later gets the last values at once.
func ExampleReplay() {
	source := stream.Concat(stream.Just(1, 2, 3), stream.Never[int]())
	replayed := stream.Replay(source, 2, stream.Policy[int]{})
	for v, err := range replayed.All(context.Background()) {
		if v < 3 {
			continue
		}
		fmt.Println("newcomer:", err)
		fmt.Println(stream.Take(replayed, 2).Collect(context.Background()))
		break
	}
	// Output:
	// newcomer: <nil>
	// [2 3] <nil>
}

// A log of the last hour, but of no more than 100 lines, for whoever comes to look.
func ExampleReplaySubject() {
	ctx := context.Background()
	lines := stream.NewReplaySubject[string](100, time.Hour)
	_ = lines.Publish(ctx, "started", "ready")
	for line, err := range lines.Observe(stream.DropOldest[string](1000)).All(ctx) {
		fmt.Println(line, err)
		if line == "ready" {
			_ = lines.Publish(ctx, "stopping")
			lines.Close(nil)
		}
	}
	// Output:
	// started <nil>
	// ready <nil>
	// stopping <nil>
}

// The source does not wait for a subscriber that is busy; the policy says what that costs.
func ExampleBuffer() {
	for _, policy := range []stream.Policy[int]{stream.DropOldest[int](2), stream.DropNewest[int](2), stream.FailSlow[int](2)} {
		busy, late := make(chan int), make(chan struct{})
		source := stream.Finally(
			stream.Concat(stream.Just(1), stream.FromChan(busy), stream.Just(2, 3, 4, 5)),
			func(error) { close(late) })
		fmt.Println(policy, "with 2, 3, 4 and 5 waiting:")
		err := stream.Buffer(source, policy).ForEach(context.Background(), func(v int) error {
			if v == 1 {
				close(busy)
				<-late
			}
			fmt.Print(v, " ")
			return nil
		})
		fmt.Println(err)
	}
	// Output:
	// DropOldest with 2, 3, 4 and 5 waiting:
	// 1 4 5 <nil>
	// DropNewest with 2, 3, 4 and 5 waiting:
	// 1 2 3 <nil>
	// FailSlow with 2, 3, 4 and 5 waiting:
	// 1 2 3 stream: subscriber too slow
}

// A session ends when its user has been quiet for a while, and its memory is freed.
func ExampleGroupByUntil() {
	clicks := stream.Just("ann", "bob", "ann")
	quiet := func(_ string, session stream.Observable[string]) stream.Observable[string] {
		return stream.Debounce(session, time.Minute)
	}
	sizes := stream.GroupByUntil(clicks, strings.ToUpper, stream.Policy[string]{}, quiet,
		func(user string, session stream.Observable[string]) stream.Observable[string] {
			size := stream.Reduce(session, 0, func(n int, _ string) int { return n + 1 })
			return stream.Map(size, func(n int) string { return fmt.Sprint(user, " ", n) })
		})
	values, err := sizes.Collect(context.Background())
	slices.Sort(values)
	fmt.Println(values, err)
	// Output: [ANN 2 BOB 1] <nil>
}

// The statistics of subscribers that an operator makes itself.
func ExampleMeter() {
	var meter stream.Meter
	shared := stream.Share(stream.Just(1, 2, 3), stream.Policy[int]{}.Metered(&meter))
	fmt.Println(shared.Count(context.Background()))
	fmt.Println(meter.Totals().Delivered, "delivered to", len(meter.Subscribers()), "subscribers that are left")
	// Output:
	// 3 <nil>
	// 3 delivered to 0 subscribers that are left
}

// A request that succeeded is not made again, one that failed is. Last waits for the completion, without
// which there is nothing to keep.
func ExampleShareWith() {
	requests := 0
	request := stream.FromFunc(func(context.Context) (string, error) {
		if requests++; requests == 1 {
			return "", errors.New("no answer")
		}
		return fmt.Sprint("answer ", requests), nil
	})
	cached := stream.ShareWith(request, &stream.ShareOptions[string]{Replay: 1, KeepCompletion: true})
	for range 3 {
		fmt.Println(cached.Last(context.Background()))
	}
	// Output:
	//  no answer
	// answer 2 <nil>
	// answer 2 <nil>
}
