package stream_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// What Merge yields is a permutation of the sources' values in which each source keeps its order.
func TestMergeKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.IntRange(0, 300), 0, 5).Draw(t, "lengths")
		sources := make([]stream.Observable[[2]int], len(lengths))
		for i, n := range lengths {
			sources[i] = stream.Map(numbers(n), func(v int) [2]int { return [2]int{i, v} })
		}
		next := make([]int, len(sources))
		err := stream.Merge(sources...).ForEach(t.Context(), func(v [2]int) error {
			if v[1] != next[v[0]] {
				t.Errorf("source %d: got %d, want %d", v[0], v[1], next[v[0]])
			}
			next[v[0]]++
			return nil
		})
		if err != nil || !slices.Equal(next, lengths) {
			t.Errorf("got %v values, want %v; error %v", next, lengths, err)
		}
	})
}

// numbers yields 0 to n-1.
func numbers(n int) stream.Observable[int] {
	return stream.FromSeq(func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	})
}

// Each operator that fetches ahead does so as far as its comment says, beyond the values in hand.
func TestPrefetchIsBounded(t *testing.T) {
	pair := func(a, _ int) int { return a }
	const inHand = 1 // the first value is taken alone, and the subscriber is stuck with it
	for name, c := range map[string]struct {
		operator func(stream.Observable[int]) stream.Observable[int]
		ahead    int
	}{
		"Buffer":      {func(o stream.Observable[int]) stream.Observable[int] { return stream.Buffer(o, stream.Block[int](10)) }, 10},
		"Merge":       {func(o stream.Observable[int]) stream.Observable[int] { return stream.Merge(o, stream.Never[int]()) }, 128},
		"Zip":         {func(o stream.Observable[int]) stream.Observable[int] { return stream.Zip(o, numbers(1000), pair) }, 128},
		"MapParallel": {func(o stream.Observable[int]) stream.Observable[int] { return stream.MapParallel(o, 5, doubled) }, 10},
		"Delay":       {func(o stream.Observable[int]) stream.Observable[int] { return stream.Delay(o, 0) }, 4096},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fetched := 0
				first := make(chan struct{})
				endless := stream.Tap(stream.Concat(stream.Just(0), stream.Defer(func() stream.Observable[int] {
					<-first // so that the batch in hand has one value
					return numbers(1 << 20)
				})), func(int) { fetched++ })
				release := make(chan struct{})
				go func() {
					_, _ = stream.Take(stream.Tap(c.operator(endless), func(int) { <-release }), 1).Collect(t.Context())
				}()
				synctest.Wait()
				close(first)
				synctest.Wait()
				// A source notices that it has to wait when it has passed a value on.
				if got := fetched - inHand; got < c.ahead || got > c.ahead+1 {
					t.Errorf("fetched %d ahead, want %d", got, c.ahead)
				}
				close(release)
			})
		})
	}
}
