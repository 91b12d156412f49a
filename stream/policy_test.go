package stream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/relaystream/autoconfig/stream"
)

// stuck subscribes with a yield that does not return from its first value before release is closed,
// and publishes that value.
func stuck(t *testing.T, s *stream.Subject[int], p stream.Policy[int]) chan struct{} {
	release := make(chan struct{})
	go func() {
		_ = s.Observe(p, nil)(t.Context(), func(int) bool {
			<-release
			return true
		})
	}()
	synctest.Wait()
	_ = s.Publish(t.Context(), 0)
	synctest.Wait()
	return release
}

// A subscriber that is stuck costs a bounded amount of memory, however much is published.
func TestStuckSubscriberIsBounded(t *testing.T) {
	const limit = 100
	const published = 200_000
	// Every key comes up twice in a row every so often, so that there is much to annihilate.
	merge := func(older, newer int) (int, stream.Place) { return newer, stream.Place(newer % 3) }
	for _, p := range []stream.Policy[int]{
		stream.DropOldest[int](limit), stream.DropNewest[int](limit), stream.FailSlow[int](limit),
		stream.Coalesce(limit, key, merge),
	} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stream.NewSubject[int]()
				release := stuck(t, s, p)
				for range published {
					if err := s.Publish(t.Context(), rand.Int()); err != nil {
						t.Fatal(err)
					}
				}
				if held := s.Held(); held > 20*limit {
					t.Errorf("memory for %d values", held)
				}
				if stats := s.Subscribers(); stats[0].Lag > limit+1 {
					t.Errorf("lag of %d", stats[0].Lag)
				}
				close(release)
				s.Close(nil)
			})
		})
	}
}

// The state of a subscriber that folds coalesced changes is the same as without coalescing.
func TestCoalescedStateIsComplete(t *testing.T) {
	const keys = 1000
	const updates = 1_000_000
	type change struct{ key, by int }
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[change]()
		p := stream.Coalesce(16, func(c change) int { return c.key }, func(older, newer change) (change, stream.Place) {
			if older.by += newer.by; older.by == 0 {
				return older, stream.Nowhere
			}
			return older, stream.AtOlder
		})
		want, got := make([]int, keys), make([]int, keys)
		release := make(chan struct{})
		ended := make(chan error)
		go func() {
			ended <- s.Observe(p, nil).ForEach(t.Context(), func(c change) error {
				<-release
				got[c.key] += c.by
				return nil
			})
		}()
		synctest.Wait()
		for range updates {
			c := change{rand.IntN(keys), rand.IntN(7) - 3}
			want[c.key] += c.by
			if err := s.Publish(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		stats := s.Subscribers()[0]
		if stats.Lag > keys+64 {
			t.Errorf("lag of %d values", stats.Lag)
		}
		if total := uint64(stats.Lag) + stats.Coalesced + stats.Dropped; total != updates {
			t.Errorf("%d values accounted for", total)
		}
		close(release)
		s.Close(nil)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Error("the states differ")
		}
	})
}

// A merged change stays before a barrier that covers it, and a barrier stays behind all it covers.
func TestCoalesceKeepsBarriersInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[string]()
		p := stream.Coalesce(1, func(v string) byte { return v[0] }, func(older, newer string) (string, stream.Place) {
			if newer[0] == '|' {
				return newer, stream.AtNewer
			}
			return older + newer[1:], stream.AtOlder
		})
		o := s.Observe(p, nil)
		release := make(chan struct{})
		got := make(chan string, 1)
		go func() {
			all := ""
			_ = o(t.Context(), func(v string) bool {
				<-release
				all += v + " "
				return true
			})
			got <- all
		}()
		synctest.Wait()
		for _, v := range []string{"x0", "a1", "|1", "a2", "b1", "|2", "b2"} {
			_ = s.Publish(t.Context(), v)
			synctest.Wait()
		}
		close(release)
		s.Close(nil)
		if all := <-got; all != "x0 a12 b12 |2 " {
			t.Error(all)
		}
	})
}

// A subject keeps nothing alive that everybody has got.
func TestDeliveredValuesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[*[64]int]()
		for range 3 {
			go func() { _, _ = s.Observe(stream.Block[*[64]int](10), nil).Count(t.Context()) }()
		}
		synctest.Wait()
		var published []weak.Pointer[[64]int]
		for range 1000 {
			v := new([64]int)
			published = append(published, weak.Make(v))
			if err := s.Publish(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		runtime.GC()
		for i, p := range published {
			if p.Value() != nil {
				t.Fatalf("value %d of %d is still there", i, len(published))
			}
		}
		s.Close(nil)
	})
}

// TestDropOldestHoldsItsLimit: with a large limit it is not given twice the memory.
func TestDropOldestHoldsItsLimit(t *testing.T) {
	const limit, block = 20_000, 1024
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[int]()
		release := stuck(t, s, stream.DropOldest[int](limit))
		for v := range 3 * limit {
			_ = s.Publish(t.Context(), v)
			if held := s.Held(); held > limit+limit/15+5*block {
				t.Errorf("memory for %d values", held)
				break
			}
		}
		close(release)
		s.Close(nil)
	})
}

func TestZeroPolicyIsBlock128(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[int]()
		release := stuck(t, s, stream.Policy[int]{})
		ctx, cancel := context.WithCancel(t.Context())
		published := 0
		go func() {
			for s.Publish(ctx, 0) == nil {
				published++
			}
		}()
		synctest.Wait()
		if got := fmt.Sprint(s.Subscribers()[0].Policy, published); got != "Block128" {
			t.Error(got)
		}
		cancel()
		close(release)
		s.Close(nil)
	})
}

// TestQuietSubjectHoldsLittle of what a burst needed.
func TestQuietSubjectHoldsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[int]()
		var subscriber sync.WaitGroup
		subscriber.Go(func() {
			_ = s.Observe(stream.Block[int](5000), nil).ForEach(t.Context(), func(int) error { return nil })
		})
		for _, values := range [][]int{make([]int, 1000), {1}, {2}, {3}} {
			synctest.Wait()
			if err := s.Publish(t.Context(), values...); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if held := s.Held(); held > 100 {
			t.Errorf("memory for %d values", held)
		}
		s.Close(nil)
		subscriber.Wait()
	})
}

// TestCoalesceHoldsWhatWaits, whatever its limit is and however much once waited.
func TestCoalesceHoldsWhatWaits(t *testing.T) {
	const most = 10_000
	synctest.Test(t, func(t *testing.T) {
		s := stream.NewSubject[int]()
		p := stream.Coalesce(1, identity, func(_, newer int) (int, stream.Place) { return newer, stream.Place(newer % 3) })
		steps := make(chan struct{})
		go func() {
			_ = s.Observe(p, nil)(t.Context(), func(int) bool {
				<-steps
				return true
			})
		}()
		publish := func(v int) {
			if err := s.Publish(t.Context(), v); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for v := range most {
			publish(v)
		}
		for range most - 100 { // take most of them, but never all
			steps <- struct{}{}
		}
		synctest.Wait()
		for v := range 300 {
			publish(most + v)
		}
		if held := s.Held(); held > 4000 {
			t.Errorf("memory for %d values", held)
		}
		s.Close(nil)
		close(steps)
	})
}
