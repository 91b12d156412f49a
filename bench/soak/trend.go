package soak

import "slices"

// A Trend is how much something grew in the second half of a run: the first is for pools, buffers and
// maps to find their size. The growth is that of the line whose slope is the median of the slopes
// between any two samples (Theil and Sen), on which up to a quarter of the samples may be as wrong as
// they like. The rest of the noise is what the allowance is for, and so a leak that makes less than
// the allowance out of half a run is not seen: the remedy is a longer run.
type Trend struct {
	Metric string `json:"metric"`
	// Median and Growth are of the samples of the second half.
	Median float64 `json:"median"`
	Growth float64 `json:"growth"`
	// Allowance is the growth that is taken for noise. It is 0 if there were too few samples to tell.
	Allowance float64 `json:"allowance"`
}

// Failed reports whether it grows.
func (t Trend) Failed() bool { return t.Allowance > 0 && t.Growth > t.Allowance }

// fewest is the number of samples in the second half that a judgement needs.
const fewest = 8

// judged returns the result with its trends.
func (r Result) judged() Result {
	for _, m := range []struct {
		name string
		// The allowance is the larger of a number and a share of the median.
		least, share float64
		value        func(Sample) float64
	}{
		// An idle client keeps room for up to 1,024 changes, messages and events, twice, as a burst has
		// left it: that is half a MiB, which may come and go at any time of the run.
		{"heap, bytes", 640 << 10, 0.03, func(s Sample) float64 { return float64(s.Rest.Heap) }},
		{"stacks, bytes", 256 << 10, 0.1, func(s Sample) float64 { return float64(s.Rest.Stacks) }},
		{"goroutines", 3, 0, func(s Sample) float64 { return float64(s.Rest.Goroutines) }},
		{"file descriptors", 3, 0, func(s Sample) float64 { return float64(s.Rest.Descriptors) }},
		{"lag, changes", 256, 0.5, func(s Sample) float64 { return float64(s.Lag) }},
	} {
		half := r.Samples[len(r.Samples)/2:]
		values := make([]float64, len(half))
		for i, s := range half {
			values[i] = m.value(s)
		}
		t := Trend{Metric: m.name, Median: median(values), Growth: growth(values)}
		if len(half) >= fewest {
			t.Allowance = max(m.least, m.share*t.Median)
		}
		r.Trends = append(r.Trends, t)
	}
	return r
}

// growth is that from the first of the values to the last.
func growth(values []float64) float64 {
	var slopes []float64
	for i, a := range values {
		for j, b := range values[:i] {
			slopes = append(slopes, (a-b)/float64(i-j))
		}
	}
	return median(slopes) * float64(len(values)-1)
}

// median is 0 if there are no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
