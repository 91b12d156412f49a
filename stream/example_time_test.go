package stream_test

import (
	"context"
	"fmt"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// However densely changes come, the index is built once a second at most, and at last with the latest.
func ExampleAudit() {
	changes := stream.Just("a", "b", "c")
	_ = stream.Audit(changes, time.Second).ForEach(context.Background(), func(change string) error {
		fmt.Println("index built with", change)
		return nil
	})
	// Output: index built with c
}

// The first change is shown at once, and of those that follow soon the latest.
func ExampleThrottleLatest() {
	shown := make(chan string)
	changes := stream.Concat(stream.Just("a"), stream.FromChan(shown), stream.Just("b", "c"))
	_ = stream.ThrottleLatest(changes, time.Minute).ForEach(context.Background(), func(change string) error {
		fmt.Println(change)
		if change == "a" {
			close(shown)
		}
		return nil
	})
	// Output:
	// a
	// c
}

func ExampleThrottle() {
	alarms := stream.Just("smoke", "smoke", "smoke")
	fmt.Println(stream.Throttle(alarms, time.Minute).Collect(context.Background()))
	// Output: [smoke] <nil>
}

func ExampleSample() {
	readings := stream.Interval(time.Millisecond)
	fmt.Println(stream.Take(stream.Sample(readings, 10*time.Millisecond), 2).Count(context.Background()))
	// Output: 2 <nil>
}

// A batch is written when it is large enough, or old enough.
func ExampleBatchTime() {
	rows := stream.Just(1, 2, 3, 4, 5)
	fmt.Println(stream.BatchTime(rows, 2, time.Minute).Collect(context.Background()))
	// Output: [[1 2] [3 4] [5]] <nil>
}

func ExampleDelay() {
	fmt.Println(stream.Delay(stream.Just(1, 2), time.Millisecond).Collect(context.Background()))
	// Output: [1 2] <nil>
}

func ExampleSkipUntil() {
	start := time.Now()
	const warmUp = 5 * time.Millisecond
	readings := stream.Interval(time.Millisecond)
	_, err := stream.SkipUntil(readings, stream.Timer(warmUp)).First(context.Background())
	fmt.Println(time.Since(start) >= warmUp, err)
	// Output: true <nil>
}

func ExampleTimestamp() {
	stamped, _ := stream.Timestamp(stream.Just("login")).First(context.Background())
	fmt.Println(stamped.Value, time.Since(stamped.Timestamp) < time.Hour)
	// Output: login true
}

func ExampleTimeInterval() {
	beats := stream.Map(stream.Timer(5*time.Millisecond), func(time.Time) string { return "beat" })
	first, _ := stream.TimeInterval(beats).First(context.Background())
	fmt.Println(first.Value, first.Interval >= 5*time.Millisecond)
	// Output: beat true
}
