package stream_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/stream"
)

// One value wakes everybody, whoever leaves while the others are being woken.
func TestOneValueWakesEverybody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// What each does: stay, leave at the value, or be cancelled before or after the publication.
		n := rapid.SampledFrom([]int{1, 10, 50, 200}).Draw(rt, "n")
		mixture := rapid.SampledFrom([][]string{{"stay"}, {"stay", "before", "after"}, {"stay", "leave", "before", "after"}}).Draw(rt, "mixture")
		moods := rapid.SliceOfN(rapid.SampledFrom(mixture), n, n).Draw(rt, "moods")
		var failure error
		synctest.Test(t, func(t *testing.T) {
			s := stream.NewSubject[int]()
			got := make([]int, len(moods))
			cancels := map[string]context.CancelFunc{}
			contexts := map[string]context.Context{}
			for _, mood := range []string{"stay", "leave", "before", "after"} {
				contexts[mood], cancels[mood] = context.WithCancel(t.Context())
			}
			for i, mood := range moods {
				go func() {
					_ = s.Observe(stream.Block[int](1), nil)(contexts[mood], func(int) bool {
						got[i]++
						return mood != "leave"
					})
				}()
			}
			synctest.Wait()
			cancels["before"]()
			_ = s.Publish(t.Context(), 1)
			cancels["after"]()
			synctest.Wait()
			staying := 0
			for i, mood := range moods {
				if mood == "stay" {
					staying++
				}
				if got[i] != 1 && (mood == "stay" || mood == "leave") {
					failure = errors.New(mood + " was left asleep")
				}
			}
			if n := len(s.Subscribers()); n != staying {
				failure = errors.New("who was to go is still there")
			}
			s.Close(nil)
			for _, cancel := range cancels {
				cancel()
			}
			synctest.Wait()
			if !s.Forgetful() {
				failure = errors.New("something is left")
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}
