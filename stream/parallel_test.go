package stream_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

func doubled(_ context.Context, v int) (int, error) { return 2 * v, nil }

// MapParallel is MapErr, whatever time each call takes, and only faster.
func TestMapParallelIsMapErr(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(rt, "n")
		// A call takes as many seconds as its value says; a negative one fails.
		values := rapid.SliceOfN(rapid.IntRange(-1, 20), 0, 30).Draw(rt, "values")
		f := func(_ context.Context, v int) (int, error) {
			if v < 0 {
				return 0, errBoom
			}
			time.Sleep(time.Duration(v) * time.Second)
			return 2 * v, nil
		}
		want, wantErr := stream.MapErr(stream.Just(values...), func(v int) (int, error) {
			if v < 0 {
				return 0, errBoom
			}
			return 2 * v, nil
		}).Collect(t.Context())
		var got []int
		var err error
		var took time.Duration
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			got, err = stream.MapParallel(stream.Just(values...), n, f).Collect(t.Context())
			took = time.Since(begin)
		})
		if err != wantErr || !slices.Equal(got, want) {
			rt.Errorf("got %v, %v, want %v, %v", got, err, want, wantErr)
		}
		inTurn := time.Duration(total(want)/2) * time.Second
		if n > 1 && wantErr == nil && len(slices.DeleteFunc(slices.Clone(values), func(v int) bool { return v == 0 })) > n && took >= inTurn {
			rt.Errorf("took %v, in turn it is %v", took, inTurn)
		}
		if n == 1 && wantErr == nil && took != inTurn {
			rt.Errorf("one at a time took %v, want %v", took, inTurn)
		}
	})
}
