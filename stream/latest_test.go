package stream_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

func TestZipPairsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		m := rapid.IntRange(0, 300).Draw(t, "m")
		got, err := stream.Zip(numbers(n), numbers(m), func(a, b int) [2]int { return [2]int{a, b} }).Collect(t.Context())
		if err != nil || len(got) != min(n, m) {
			t.Fatalf("%d pairs of %d and %d values; error %v", len(got), n, m, err)
		}
		for i, pair := range got {
			if pair != [2]int{i, i} {
				t.Fatalf("pair %d is %v", i, pair)
			}
		}
	})
}

// CombineLatest goes from the first pair to the last in steps of one value.
func TestCombineLatestMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		m := rapid.IntRange(1, 300).Draw(t, "m")
		pair := func(a, b int) [2]int { return [2]int{a, b} }
		got, err := stream.CombineLatest(numbers(n), numbers(m), pair).Collect(t.Context())
		if err != nil || len(got) == 0 {
			t.Fatal(len(got), err)
		}
		// The first pair may come late, but one of its two is a source's first.
		if first := got[0]; first[0] != 0 && first[1] != 0 {
			t.Errorf("first %v", first)
		}
		for i := range len(got) - 1 {
			if step := got[i+1][0] + got[i+1][1] - got[i][0] - got[i][1]; step != 1 {
				t.Errorf("%v follows %v", got[i+1], got[i])
			}
		}
		if last := got[len(got)-1]; last != [2]int{n - 1, m - 1} {
			t.Errorf("last %v", last)
		}
	})
}

// Race is one of its sources, whichever.
func TestRaceIsOneOfItsSources(t *testing.T) {
	for range 200 {
		of := func(k int) stream.Observable[int] {
			return stream.Map(numbers(200), func(v int) int { return 1000*k + v })
		}
		got, err := stream.Race(of(0), of(1), of(2)).Collect(t.Context())
		if err != nil || len(got) != 200 {
			t.Fatal(len(got), err)
		}
		want, _ := of(got[0] / 1000).Collect(t.Context())
		if !slices.Equal(got, want) {
			t.Fatal(got)
		}
	}
}
