package stream_test

import (
	"bytes"
	"runtime"
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

// TestFetchedAhead is as the package comment says: 128 values wait, beside a batch of 64, and the source
// has one more in hand.
func TestFetchedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		source := stream.Tap(stream.FromSeq(naturals), func(int) { fetched++ })
		most, yielded := 0, 0
		err := stream.Take(stream.Merge(source, stream.Never[int]()), 1000).ForEach(t.Context(), func(int) error {
			synctest.Wait()
			most = max(most, fetched-yielded)
			yielded++
			return nil
		})
		if err != nil || most != 128+64+1 {
			t.Errorf("%d fetched ahead, %v", most, err)
		}
	})
}

// TestCallbacksRunWithTheirObservable: those behind the last operator with goroutines on the
// subscriber's, without a lock between them and the code around, and those before it elsewhere.
func TestCallbacksRunWithTheirObservable(t *testing.T) {
	before, behind := map[string]int{}, map[string]int{}
	count := func(of map[string]int, o ints) ints { return stream.Tap(o, func(int) { of[goroutine()]++ }) }
	o := count(behind, stream.Map(count(behind, stream.Buffer(count(before, numbers(1000)), stream.Policy[int]{})), identity))
	for range o.All(t.Context()) {
		behind[goroutine()]++
	}
	if me := goroutine(); behind[me] != 3000 || before[me] != 0 || len(before) != 1 {
		t.Errorf("behind %v, before %v", behind, before)
	}
}

// goroutine returns the number of the calling goroutine.
func goroutine() string {
	stack := make([]byte, 64)
	return string(bytes.Fields(stack[:runtime.Stack(stack, false)])[1])
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
