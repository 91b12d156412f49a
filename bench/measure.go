package main

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// measure returns the time, the allocations and the allocated bytes of f, divided by n. f returns the
// time itself, because only it knows when the work was done. Allocations of the whole process count; the
// server makes none.
func measure(n int, f func() (time.Duration, error)) ([]float64, error) {
	var before, after runtime.MemStats
	runtime.GC() // f must not pay for earlier garbage
	runtime.ReadMemStats(&before)
	elapsed, err := f()
	runtime.ReadMemStats(&after)
	per := 1 / float64(n)
	return []float64{
		float64(elapsed.Nanoseconds()) * per,
		float64(after.Mallocs-before.Mallocs) * per,
		float64(after.TotalAlloc-before.TotalAlloc) * per,
	}, err
}

// timed is measure for a function that returns when its work is done.
func timed(n int, f func() error) (sample, error) {
	values, err := measure(n, func() (time.Duration, error) {
		start := time.Now()
		err := f()
		return time.Since(start), err
	})
	return sample{values: values}, err
}

// A spread sums up the values of one metric.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// quantile returns the q-quantile of sorted values.
func quantile(sorted []float64, q float64) float64 {
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}
