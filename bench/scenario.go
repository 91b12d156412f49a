package main

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// A scenario is one question, asked of every peer that can answer it.
type scenario struct {
	name  string
	about string
	// metrics name the values of a sample. The first is the one that peers are compared by; less
	// of it is better.
	metrics []string
	// baseline is the peer that the others are compared to.
	baseline string
	// axis names what differs between the cases, "" if there is only one.
	axis  string
	cases func(size int) []int
	// open prepares the case x. Its trials share what was prepared.
	open func(x int, l load) (*field, error)
}

// A load says how much there is to do.
type load struct {
	// size is the number of messages in the greatest scenario; everything else is in proportion.
	size int
	// flush is how many messages the server sends at once when it has many.
	flush int
}

// A field is a case of a scenario, ready to be run.
type field struct {
	trials []trial
	close  func()
}

// A trial is what one peer does in a case, once.
type trial struct {
	peer  string
	about string
	run   func(ctx context.Context) (sample, error)
}

// A sample is the outcome of a trial: a value for each metric.
type sample struct {
	values []float64
	// latencies, in nanoseconds and sorted, are there if they are what the scenario is about.
	latencies []float64
}

func one(int) []int { return []int{0} }

// scenarios are all that there are, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		patches(), mixture(), stale(), putUnchanged(), putFirst(),
		framing(), decoding(), table(), operators(), multicast(), latency(), idle(), growth(),
	}
}

// chosen are the scenarios whose names match one of the comma-separated patterns.
func chosen(patterns string) ([]scenario, error) {
	var list []scenario
	used := map[string]bool{}
	for _, s := range scenarios() {
		for pattern := range strings.SplitSeq(patterns, ",") {
			matched, err := path.Match(pattern, s.name)
			if err != nil {
				return nil, fmt.Errorf("scenario %q: %w", pattern, err)
			}
			if matched {
				used[pattern] = true
				list = append(list, s)
				break
			}
		}
	}
	for pattern := range strings.SplitSeq(patterns, ",") {
		if !used[pattern] {
			return nil, fmt.Errorf("no scenario is called %q", pattern)
		}
	}
	return list, nil
}
