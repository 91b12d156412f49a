package stream_test

import (
	"errors"
	"slices"

	"github.com/relaystream/autoconfig/stream"
)

// furtherLaws define operators by others.
func furtherLaws() []law {
	return []law{
		{"DefaultIfEmpty catches what ThrowIfEmpty throws", func(a, _, _ ints, n, _ int) (ints, ints) {
			return stream.DefaultIfEmpty(a, n), stream.Catch(stream.ThrowIfEmpty(a, errMap), func(err error) ints {
				if errors.Is(err, errMap) {
					return stream.Just(n)
				}
				return stream.Fail[int](err)
			})
		}},
		{"Repeat repeats", func(a, _, _ ints, n, m int) (ints, ints) {
			once := stream.StartWith(a, n)
			return stream.Take(stream.Repeat(once), m), stream.Take(stream.Concat(once, stream.Repeat(once)), m)
		}},
		{"Concat is ConcatAll of Just", func(a, b, c ints, _, _ int) (ints, ints) {
			return stream.ConcatAll(stream.Just(a, b, c)), stream.Concat(a, b, c)
		}},
		{"MergeAll of one at a time is ConcatAll", func(a, b, c ints, _, _ int) (ints, ints) {
			return stream.MergeAll(stream.Just(a, b, c), 1), stream.ConcatAll(stream.Just(a, b, c))
		}},
		{"TakeLast reduces", func(a, _, _ ints, n, _ int) (ints, ints) {
			lastOf := func(last []int, v int) []int {
				last = append(slices.Clone(last), v)
				return last[max(0, len(last)-n):]
			}
			return stream.TakeLast(a, n),
				stream.ConcatMap(stream.Reduce(a, nil, lastOf), stream.FromSlice[int])
		}},
		{"Pairwise scans", func(a, _, _ ints, _, _ int) (ints, ints) {
			shift := func(p [2]int, v int) [2]int { return [2]int{p[1], v} }
			joined := func(p [2]int) int { return 100*p[0] + p[1] }
			return stream.Map(stream.Pairwise(a), joined), stream.Map(stream.Skip(stream.Scan(a, [2]int{}, shift), 1), joined)
		}},
		{"CombineLatestSlice of one is Map", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Map(stream.CombineLatestSlice(a), sum), a
		}},
		{"BatchWhen without a boundary reduces", func(a, b, _ ints, _, _ int) (ints, ints) {
			boundary := stream.Filter(stream.OnErrorResume(b, stream.Empty[int]()), func(int) bool { return false })
			return stream.Map(stream.BatchWhen(a, boundary), sum), stream.Reduce(a, 0, plus)
		}},
		{"Finally is Tap for the end", func(a, _, _ ints, _, _ int) (ints, ints) {
			return stream.Finally(a, func(error) {}), a
		}},
	}
}
