package stream_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// TestGroupsAreFilters: each group is what a filter for its key would be, in the order of the source,
// whatever the observables made of them do.
func TestGroupsAreFilters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(0, 999), 0, 300).Draw(t, "values")
		taken := rapid.IntRange(1, 100).Draw(t, "taken of each group")
		key := func(v int) int { return v % 5 }
		grouped := stream.GroupBy(stream.FromSlice(values), key, stream.Block[int](3), func(_ int, group ints) ints {
			return stream.Take(group, taken)
		})
		got, err := grouped.Collect(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		of := func(values []int, k int) []int {
			return slices.DeleteFunc(slices.Clone(values), func(v int) bool { return key(v) != k })
		}
		for k := range 5 {
			want := of(values, k)
			want = want[:min(taken, len(want))]
			if !slices.Equal(of(got, k), want) {
				t.Fatalf("group %d: %v, want %v", k, of(got, k), want)
			}
		}
	})
}

// TestGroupsEndWithTheSource: its error comes after what the groups make of it, and an error of one of
// them ends all.
func TestGroupsEndWithTheSource(t *testing.T) {
	key := func(v int) int { return v % 2 }
	failing := stream.Concat(stream.Just(1, 2, 3), stream.Fail[int](errEnd))
	sums := func(_ int, group ints) ints {
		return stream.Catch(stream.Reduce(group, 0, plus), func(error) ints { return stream.Just(-1) })
	}
	got, err := stream.GroupBy(failing, key, stream.Block[int](1), sums).Collect(t.Context())
	if slices.Sort(got); err != errEnd || !slices.Equal(got, []int{-1, -1}) {
		t.Errorf("%v, %v", got, err)
	}
	errGroup := errors.New("group")
	synctest.Test(t, func(t *testing.T) {
		endless := stream.Concat(stream.Just(1, 2), stream.Never[int]())
		_, err := stream.GroupBy(endless, key, stream.Block[int](1), func(k int, group ints) ints {
			if k == 0 {
				return stream.Fail[int](errGroup)
			}
			return group
		}).Collect(t.Context())
		if err != errGroup {
			t.Error(err)
		}
	})
}

// TestGroupNobodySubscribesTo neither holds up the source nor keeps its values.
func TestGroupNobodySubscribesTo(t *testing.T) {
	got, err := stream.GroupBy(stream.FromSlice(slices.Repeat([]int{1, 2}, 500)), func(v int) int { return v }, stream.Block[int](1),
		func(k int, group ints) ints {
			if k == 1 {
				return stream.Just(-1)
			}
			return stream.Map(group, func(int) int { return 1 })
		}).Collect(t.Context())
	if err != nil || len(got) != 501 {
		t.Errorf("%d values, %v", len(got), err)
	}
}

// TestGroupsEndWithTheirDuration, and the next value of the key begins another one. No value is lost
// between the two.
func TestGroupsEndWithTheirDuration(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		gaps := rapid.SliceOfN(rapid.IntRange(1, 9), 0, 20).Draw(rt, "gaps")
		var want []int // for each group how many values there are, which come less than 5 s after each other
		for i, gap := range gaps {
			if i == 0 || gap >= 5 {
				want = append(want, 0)
			}
			want[len(want)-1]++
		}
		var got []int
		var err error
		synctest.Test(t, func(t *testing.T) {
			source := stream.ConcatMap(stream.Just(gaps...), func(gap int) ints {
				return stream.Map(stream.Timer(time.Duration(gap)*time.Second), func(time.Time) int { return 1 })
			})
			got, err = stream.GroupByUntil(source, func(int) int { return 0 }, stream.Policy[int]{},
				func(_ int, group ints) ints { return stream.Debounce(group, 4500*time.Millisecond) },
				func(_ int, group ints) ints { return stream.Reduce(group, 0, plus) }).Collect(t.Context())
		})
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("%v, %v, want %v", got, err, want)
		}
	})
}

// TestGroupsEndWhileValuesCome, at any time: each value is in one group.
func TestGroupsEndWhileValuesCome(t *testing.T) {
	const n = 20_000
	groups := 0 // on the goroutine of the source
	counts, err := stream.GroupByUntil(numbers(n), func(v int) int { return v % 3 }, stream.Policy[int]{},
		func(_ int, group ints) ints { return stream.Skip(group, 50) },
		func(_ int, group ints) ints {
			groups++
			return stream.Reduce(group, 0, func(n, _ int) int { return n + 1 })
		}).Collect(t.Context())
	if err != nil || total(counts) != n || len(counts) != groups || groups < 10 {
		t.Errorf("%d values in %d groups, %v", total(counts), groups, err)
	}
}

// TestGroupThatHasEndedIsForgotten, its key aside.
func TestGroupThatHasEndedIsForgotten(t *testing.T) {
	var meter stream.Meter
	source := stream.Concat(numbers(1000), stream.Just(0))
	got, err := stream.GroupBy(source, identity, stream.Block[int](1).Metered(&meter), func(_ int, group ints) ints {
		return stream.Take(group, 1)
	}).Count(t.Context())
	if err != nil || got != 1000 || len(meter.Subscribers()) != 0 || meter.Totals().Delivered != 1000 {
		t.Errorf("%d values, %v, %+v", got, err, meter.Totals())
	}
}

// TestDurationThatEndsAtOnce: a group has its first value by then, another one begins with the next, and
// none is lost.
func TestDurationThatEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, duration := range map[string]ints{"yields": stream.Just(1), "completes": stream.Empty[int]()} {
			for _, key := range []func(int) int{identity, func(int) int { return 0 }} {
				grouped := stream.GroupByUntil(numbers(5000), key, stream.Policy[int]{}, func(int, ints) ints { return duration },
					func(_ int, group ints) ints { return stream.Reduce(group, 0, func(n, _ int) int { return n + 1 }) })
				sizes, err := grouped.Collect(t.Context())
				if err != nil || sum(sizes) != 5000 || slices.Min(sizes) == 0 {
					t.Errorf("%s: %d values, the smallest group has %d, %v", name, sum(sizes), slices.Min(sizes), err)
				}
			}
		}
	})
}

// TestDurationThatIgnoresItsGroup, as Timer does, holds nobody up. One that subscribes late begins with the
// latest value, and a meter sees only what is subscribed to.
func TestDurationThatIgnoresItsGroup(t *testing.T) {
	for name, c := range map[string]struct {
		duration func(group ints) ints
		sizes    []int
	}{
		"never subscribes": {func(ints) ints { return after(30500 * time.Millisecond) }, []int{31, 29}},
		"subscribes late": {func(group ints) ints {
			return stream.Skip(stream.ConcatMap(after(10500*time.Millisecond), func(int) ints { return group }), 19)
		}, []int{30, 30}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var meter stream.Meter
				begin := time.Now()
				sizes, err := stream.GroupByUntil(spaced(numbers(60)), func(int) int { return 0 },
					stream.Block[int](2).Metered(&meter), func(_ int, group ints) ints { return c.duration(group) },
					func(_ int, group ints) ints { return stream.Reduce(group, 0, func(n, _ int) int { return n + 1 }) }).Collect(t.Context())
				if took := time.Since(begin); !slices.Equal(sizes, c.sizes) || err != nil || took != time.Minute {
					t.Errorf("%v values in %v, %v", sizes, took, err)
				}
				if got := meter.Totals(); got.Dropped != 0 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

func after(d time.Duration) ints {
	return stream.Map(stream.Timer(d), func(time.Time) int { return 0 })
}
