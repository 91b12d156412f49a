package main

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// A scenario is a measurement of every peer that can take part in it.
type scenario struct {
	name  string
	about string
	// metrics name the values of a sample. Peers are compared by the first; less is better.
	metrics []string
	// baseline is the peer to which the others are compared.
	baseline string
	// axis names the quantity that differs between the cases, "" if there is only one case.
	axis  string
	cases func(size int) []int
	// open prepares case x. Its trials share what it prepares.
	open func(x int, l load) (*field, error)
}

// A load says how much work a scenario does.
type load struct {
	// size is the number of messages in the largest scenario; everything else is in proportion.
	size int
	// flush is the number of messages that a busy server sends at once.
	flush int
}

// A field is a case of a scenario, ready to run.
type field struct {
	trials []trial
	close  func()
}

// A trial runs one peer in a case, once.
type trial struct {
	peer  string
	about string
	run   func(ctx context.Context) (sample, error)
}

// A sample is the outcome of a trial: a value for each metric.
type sample struct {
	values []float64
	// latencies are in nanoseconds and sorted. Only the scenario latency has them.
	latencies []float64
}

func one(int) []int { return []int{0} }

// scenarios returns all scenarios, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		patches(), keySets(), mixture(), stale(), putUnchanged(), putFirst(),
		framing(), decoding(), table(), operators(), multicast(), latency(), idle(), growth(),
	}
}

// chosen returns the scenarios whose names match one of the comma-separated patterns.
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
			return nil, fmt.Errorf("no scenario matches %q", pattern)
		}
	}
	return list, nil
}
