package stream_test

import (
	"context"
	"testing"

	"github.com/relaystream/autoconfig/stream"
)

// TestNoAllocationPerValue: what a subscription to a synchronous operator allocates does not depend
// on how many values pass.
func TestNoAllocationPerValue(t *testing.T) {
	allocating := map[string]string{
		"BatchCount": "a slice for each batch is what it is for",
		"MapErr":     "the strings of the callback",
		"ConcatMap":  "the observables of the callback",
	}
	for _, op := range synchronous() {
		if allocating[op.name] != "" {
			continue
		}
		allocations := func(n int) float64 {
			values := make([]int, n)
			for i := range values {
				values[i] = i % 8
			}
			o := op.apply(stream.Just(values...))
			return testing.AllocsPerRun(10, func() { _ = o(context.Background(), func(int) bool { return true }) })
		}
		if few, many := allocations(10), allocations(1000); few != many {
			t.Errorf("%s: %v allocations for 10 values, %v for 1000", op.name, few, many)
		}
	}
}
