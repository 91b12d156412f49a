package soak

import "slices"

// A Trend is the growth of a metric in the second half of a run; in the first half, pools, buffers and maps
// reach their sizes. It is the growth of the line whose slope is the median of the slopes between all
// pairs of samples (the Theil–Sen estimator), which tolerates outliers in more than a quarter of the
// samples. The allowance covers other noise. A leak that stays below the allowance in half a run goes
// unnoticed; a longer run finds it.
type Trend struct {
	Metric string `json:"metric"`
	// Median is the median of the second half.
	Median float64 `json:"median"`
	// Growth is the growth during the second half.
	Growth float64 `json:"growth"`
	// Allowance is the largest growth that counts as noise. It is 0 if there are too few samples.
	Allowance float64 `json:"allowance"`
}

// Failed reports whether the growth is more than noise.
func (t Trend) Failed() bool { return t.Allowance > 0 && t.Growth > t.Allowance }

// fewest is the smallest number of samples in the second half that allows a judgement.
const fewest = 8

// judged returns r with its trends.
func (r Result) judged() Result {
	for _, m := range []struct {
		name string
		// The allowance is the larger of a number and a share of the median.
		least, share float64
		value        func(Sample) float64
	}{
		// After a burst, an idle client keeps queues for up to 1,024 changes, messages and events, twice.
		// These may come and go at any time of the run.
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

// growth returns the estimated growth from the first value to the last.
func growth(values []float64) float64 {
	var slopes []float64
	for i, a := range values {
		for j, b := range values[:i] {
			slopes = append(slopes, (a-b)/float64(i-j))
		}
	}
	return median(slopes) * float64(len(values)-1)
}

// median returns the median, 0 if there are no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
