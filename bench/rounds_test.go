package main

import (
	"context"
	"slices"
	"testing"
)

// The order of the peers differs from round to round, but not from run to run.
func TestOrderOfRounds(t *testing.T) {
	const peers, rounds = 6, 5
	run := func() []int {
		var order []int
		f := &field{close: func() {}}
		for i := range peers {
			f.trials = append(f.trials, trial{run: func(context.Context) (sample, error) {
				order = append(order, i)
				return sample{values: []float64{1}}, nil
			}})
		}
		s := scenario{metrics: []string{"x"}, open: func(int, load) (*field, error) { return f, nil }}
		if _, err := runCase(t.Context(), s, 0, load{}, rounds, func(string) {}); err != nil {
			t.Fatal(err)
		}
		return order
	}
	order := run()
	if !slices.Equal(order, run()) {
		t.Error("two runs have different orders")
	}
	after := make(map[[2]int]int) // how often one peer follows another
	for round := range slices.Chunk(order, peers) {
		for i := range peers - 1 {
			after[[2]int{round[i], round[i+1]}]++
		}
	}
	for pair, times := range after {
		if times > rounds/2+1 {
			t.Errorf("peer %d follows peer %d in %d of %d rounds", pair[1], pair[0], times, rounds+1)
		}
	}
}
