package stream_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// conforms holds what make returns to the contract and to its model.
func conforms(t *testing.T, make func() ints, want sequence, hot, lossy bool) {
	t.Helper()
	streamtest.Test(t, make, want.values, &streamtest.Options{Err: want.err, Endless: want.endless, Hot: hot, Lossy: lossy})
}

// TestSources: every source keeps the contract, alone and behind every operator.
func TestSources(t *testing.T) {
	for i, src := range sources() {
		t.Run(src.name, func(t *testing.T) {
			conforms(t, src.make, src.sequence, src.hot, false)
			for j, op := range operators() {
				if skipsPair(i, j) || src.hot && op.name == "Concat with itself" || src.hot && op.model(sequence{err: errEnd}).err == nil {
					continue
				}
				t.Run(op.name, func(t *testing.T) {
					conforms(t, func() ints { return op.apply(src.make()) }, op.model(src.sequence), src.hot || op.hot, op.lossy)
				})
			}
		})
	}
}

// skipsPair thins combinations under the race detector: what it finds in one it finds with any other partner, too. All
// have one in five.
func skipsPair(i, j int) bool { return testkit.RaceDetected() && (i+j)%5 > 0 }

// TestPairs: every operator keeps the contract behind and in front of every other, those aside that
// differ from Map in nothing that would matter.
func TestPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of combinations")
	}
	failing := sequence{values: []int{2, 3}, err: errEnd}
	paired := slices.DeleteFunc(operators(), func(op operator) bool { return op.plain })
	for i, inner := range paired {
		for j, outer := range paired {
			if skipsPair(i, j) {
				continue
			}
			t.Run(inner.name+"/"+outer.name, func(t *testing.T) {
				conforms(t, func() ints {
					o := stream.Concat(stream.Just(failing.values...), stream.Fail[int](errEnd))
					return outer.apply(inner.apply(o))
				}, outer.model(inner.model(failing)), inner.hot || outer.hot, inner.lossy || outer.lossy)
			})
		}
	}
}

// TestRudeSource: an operator that may stop its source by itself, and that was asked to stop, returns
// nil even if its source, which breaks the contract, makes an error of it. The others leave the
// answer to their source.
func TestRudeSource(t *testing.T) {
	rude := func(_ context.Context, yield func(int) bool) error {
		for v := range 4 {
			if !yield(v) {
				return errors.New("broken pipe")
			}
		}
		return nil
	}
	for _, op := range operators() {
		if op.plain || op.name == "Map" || op.name == "Filter" || op.name == "MapErr failing" || op.name == "Throttle" {
			continue
		}
		t.Run(op.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := op.apply(rude)(t.Context(), func(int) bool { return false }); err != nil {
					t.Errorf("returned %v", err)
				}
			})
		})
	}
}
