package stream_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

// TestBehaviorSkipsNothing: a subscriber that comes at any time gets a value and then each one that
// follows it, also when several change it at a time.
func TestBehaviorSkipsNothing(t *testing.T) {
	b := stream.NewBehavior(0)
	var subscribers, writers sync.WaitGroup
	const each, parties = 200, 4
	for range parties {
		writers.Go(func() {
			for range each {
				if err := b.Update(t.Context(), func(v int) int { return v + 1 }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 8 {
		subscribers.Go(func() {
			last, first := 0, true
			err := b.Observe(stream.Block[int](4))(t.Context(), func(v int) bool {
				if !first && v != last+1 {
					t.Errorf("%d follows %d", v, last)
				}
				last, first = v, false
				return true
			})
			if err != nil || last != each*parties {
				t.Errorf("the last value is %d, %v", last, err)
			}
		})
	}
	writers.Wait()
	b.Close(nil)
	subscribers.Wait()
	late, err := b.Observe(stream.Block[int](1)).Collect(t.Context())
	if fmt.Sprint(late) != fmt.Sprint([]int{each * parties}) || err != nil || b.Set(t.Context(), 1) != stream.ErrClosed || b.Get() != each*parties {
		t.Errorf("after the end: %v, %v, %d", late, err, b.Get())
	}
}

func ExampleBehavior() {
	ctx := context.Background()
	volume := stream.NewBehavior(5)
	_ = volume.Set(ctx, 7)
	for v, err := range stream.Take(volume.Observe(stream.DropOldest[int](1)), 1).All(ctx) {
		fmt.Println(v, err)
	}
	// Output:
	// 7 <nil>
}

func ExampleGroupBy() {
	words := stream.Just("apple", "bean", "avocado", "beet", "cherry")
	initial := func(word string) byte { return word[0] }
	counts := stream.GroupBy(words, initial, stream.Block[string](16), func(c byte, group stream.Observable[string]) stream.Observable[string] {
		return stream.Map(stream.Reduce(group, 0, func(n int, _ string) int { return n + 1 }), func(n int) string {
			return fmt.Sprintf("%c: %d", c, n)
		})
	})
	err := counts.ForEach(context.Background(), func(line string) error {
		fmt.Println(line)
		return nil
	})
	fmt.Println(err)
	// Unordered output:
	// a: 2
	// b: 2
	// c: 1
	// <nil>
}
