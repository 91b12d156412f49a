package stream_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// Bursts that take many blocks of the log reach every subscriber in order, wherever in the log it is.
func TestBursts(t *testing.T) {
	const limit, bursts = 3000, 20
	distinct := stream.Coalesce(limit, func(v int) int { return v }, func(_, newer int) (int, stream.Place) { return newer, stream.AtNewer })
	for _, test := range []struct {
		policy stream.Policy[int]
		all    bool // nothing is lost
	}{
		{stream.Block[int](1), true}, {stream.Block[int](limit), true}, {distinct, true},
		{stream.DropOldest[int](limit), false}, {stream.DropNewest[int](limit), false}, {stream.FailSlow[int](limit), false},
	} {
		t.Run(test.policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stream.NewSubject[int]()
				published := 0
				var got [3][]int
				var reading sync.WaitGroup
				for i := range got {
					reading.Go(func() {
						err := s.Observe(test.policy, nil)(t.Context(), func(v int) bool {
							if rand.IntN(100) == 0 {
								time.Sleep(time.Duration(rand.IntN(1000)))
							}
							got[i] = append(got[i], v)
							return true
						})
						if err != nil && !errors.Is(err, stream.ErrSlowConsumer) {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				for range bursts {
					n := rand.IntN(3 * limit)
					err := s.Update(t.Context(), func(emit func(int)) {
						for range n {
							emit(published)
							published++
						}
					})
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Duration(rand.IntN(100_000)))
				}
				s.Close(nil)
				reading.Wait()
				for _, got := range got {
					n := len(got)
					if n < min(published, limit) || n < published && test.all {
						t.Errorf("%d of %d values", n, published)
					}
					if !slices.IsSorted(got) || len(slices.Compact(got)) < n {
						t.Error("values are out of order or repeated")
					}
				}
			})
		})
	}
}

// A burst takes little more memory than its values. Once everybody has taken it, what is left suffices for another small
// one and is bounded, and little is left when few values come.
func TestBurstIsHeldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[int]()
		var reading sync.WaitGroup
		reading.Go(func() { _, _ = s.Observe(stream.Block[int](1), nil).Count(t.Context()) })
		synctest.Wait()
		for _, test := range []struct{ burst, least, most int }{
			{100_000, 700, 2048}, {700, 700, 2048}, {700, 700, 2048}, {10, 0, 128}, {700, 700, 2048},
		} {
			err := s.Update(t.Context(), func(emit func(int)) {
				for v := range test.burst {
					emit(v)
				}
				if held := s.HeldLocked(); held > max(2048, test.burst+test.burst/8) {
					t.Errorf("memory for %d values in a burst of %d", held, test.burst)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if held := s.Held(); held < test.least || held > test.most {
				t.Errorf("memory for %d values after a burst of %d", held, test.burst)
			}
		}
		s.Close(nil)
		reading.Wait()
	})
}
