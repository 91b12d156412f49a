package main

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// A result has what the rounds of a case measured for one peer.
type result struct {
	Peer  string `json:"peer"`
	About string `json:"about,omitempty"`
	// Metrics has the spread of each metric of the scenario.
	Metrics []spread `json:"metrics"`
	// Samples are the values of the first metric, in the order of the rounds.
	Samples []float64 `json:"samples"`
	// Percentiles of the latencies, 0 to 100, in nanoseconds.
	Percentiles []float64 `json:"percentiles,omitempty"`
}

// A caseResult is a case with the results of all peers.
type caseResult struct {
	X       int      `json:"x,omitempty"`
	Results []result `json:"results"`
}

// runCase runs every peer once in each round, so that a change of conditions affects all of them. Their
// order differs from round to round, so that what one peer leaves behind does not always affect the same
// successor; all runs use the same orders. The first round is not counted.
func runCase(ctx context.Context, s scenario, x int, l load, rounds int, progress func(string)) (caseResult, error) {
	progress(describe(s, x) + ": preparing")
	f, err := s.open(x, l)
	if err != nil {
		return caseResult{}, err
	}
	defer f.close()
	samples := make([][]sample, len(f.trials))
	order := rand.New(rand.NewPCG(1, 0))
	for round := range rounds + 1 {
		for _, i := range order.Perm(len(f.trials)) {
			if ctx.Err() != nil {
				return caseResult{}, context.Cause(ctx) // not every trial checks
			}
			t := f.trials[i]
			progress(fmt.Sprintf("%s: round %d of %d: %s", describe(s, x), round, rounds, t.peer))
			got, err := t.run(ctx)
			if err != nil {
				return caseResult{}, fmt.Errorf("%s: %s: %w", describe(s, x), t.peer, err)
			}
			if round > 0 {
				samples[i] = append(samples[i], got)
			}
		}
	}
	results := make([]result, len(f.trials))
	for i, t := range f.trials {
		results[i] = summary(t, len(s.metrics), samples[i])
	}
	return caseResult{X: x, Results: results}, nil
}

func describe(s scenario, x int) string {
	if s.axis == "" {
		return s.name
	}
	return fmt.Sprintf("%s with %d %s", s.name, x, s.axis)
}

func summary(t trial, metrics int, samples []sample) result {
	r := result{Peer: t.peer, About: t.about}
	for m := range metrics {
		var values []float64
		for _, s := range samples {
			values = append(values, s.values[m])
		}
		if m == 0 {
			r.Samples = values
		}
		r.Metrics = append(r.Metrics, spreadOf(values))
	}
	r.Percentiles = percentiles(samples)
	return r
}

// percentiles returns the median of each percentile over the rounds.
func percentiles(samples []sample) []float64 {
	if samples[0].latencies == nil {
		return nil
	}
	out := make([]float64, 101)
	for p := range out {
		var values []float64
		for _, s := range samples {
			values = append(values, quantile(s.latencies, float64(p)/100))
		}
		out[p] = spreadOf(values).Median
	}
	return out
}
