package main

import (
	"context"
	"fmt"

	"github.com/relaystream/autoconfig/bench/parts"
	"github.com/relaystream/autoconfig/bench/usage"
)

// multicast measures the cost of an item for each subscriber, and the memory of an idle subscriber. If
// the cost of an item grows no faster than the number of subscribers, the first metric is the same in all
// cases.
func multicast() scenario {
	return scenario{
		name: "multicast", about: "one source, more and more subscribers", axis: "subscribers",
		metrics: []string{"ns/delivery", "ns/item", "allocs/item", "B/item", "B/subscriber"}, baseline: "channels",
		cases: func(size int) []int {
			counts := []int{1}
			for n := 10; n <= max(10, size/20); n *= 10 {
				counts = append(counts, n)
			}
			return counts
		},
		open: func(x int, l load) (*field, error) {
			f := &field{close: func() {}}
			// Enough items to wake a subscriber several times.
			items := max(l.size/200, 10*l.size/x, 1)
			for _, m := range parts.Multicasts() {
				f.trials = append(f.trials, trial{peer: m.Name, about: m.About, run: func(context.Context) (sample, error) {
					return deliver(m, x, items)
				}})
			}
			return f, nil
		},
	}
}

func deliver(m parts.Multicast, subscribers, items int) (sample, error) {
	before := usage.Now()
	publish, stop := m.Start(subscribers, items)
	after := usage.Now()
	s, err := timed(items, func() error {
		publish()
		return nil
	})
	perItem := s.values
	s.values = append([]float64{perItem[0] / float64(subscribers)}, perItem...)
	memory := float64(after.Heap+after.Stacks) - float64(before.Heap+before.Stacks)
	s.values = append(s.values, memory/float64(subscribers))
	if got, want := stop(), subscribers*items*(items-1)/2; got != want {
		return s, fmt.Errorf("received values add up to %d, want %d", got, want)
	}
	return s, err
}
