package soak

import (
	"math/rand/v2"
	"testing"

	"github.com/relaystream/autoconfig/bench/usage"
)

// series returns the result of a run with n samples of the heap, whose sizes heap returns.
func series(n int, heap func(i int) float64) Result {
	var r Result
	for i := range n {
		r.Samples = append(r.Samples, Sample{Rest: usage.Usage{Heap: uint64(heap(i)), Goroutines: 20}})
	}
	return r.judged()
}

func TestTrend(t *testing.T) {
	const size = 4 << 20
	noise := func() float64 { return rand.NormFloat64() * size / 20 }
	for _, test := range []struct {
		why  string
		n    int
		heap func(i int) float64
		want bool
	}{
		{"noise is no trend", 200, func(int) float64 { return size + noise() }, false},
		{"a leak is found in spite of noise", 200, func(i int) float64 { return size + 10e3*float64(i) + noise() }, true},
		{"what grows to its size in the first half may", 200, func(i int) float64 { return size + 1e5*float64(min(i, 90)) + noise() }, false},
		{"an outlier, even at the end, is no trend", 40, func(i int) float64 {
			if i > 36 {
				return 20 * size
			}
			return size + noise()/10
		}, false},
		{"what shrinks is no leak", 200, func(i int) float64 { return 10*size - 1e5*float64(i) }, false},
		{"few samples say nothing", 2*fewest - 2, func(i int) float64 { return size * float64(i) }, false},
	} {
		for _, trend := range series(test.n, test.heap).Trends {
			if want := test.want && trend.Metric == "heap, bytes"; trend.Failed() != want {
				t.Errorf("%s: %+v", test.why, trend)
			}
		}
	}
	if got := growth([]float64{1, 3, 5, 7}); got != 6 {
		t.Errorf("from 1 to 7 it grows by %v", got)
	}
}
