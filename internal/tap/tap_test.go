package tap_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/internal/tap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPassCostsNothingWhileNobodyObserves(t *testing.T) {
	copies := 0
	tapped := tap.New(1, func(b []byte) []byte {
		copies++
		return append([]byte(nil), b...)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = tapped.Observe()(ctx, func([]byte) bool { return true }) // an observer that has left
	value := []byte("value")
	if n := testing.AllocsPerRun(100, func() { tapped.Pass(value) }); n != 0 || copies != 0 {
		t.Errorf("%v allocations and %d copies; want none", n, copies)
	}
}

func TestObserversGetTheirOwnLatestValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tapped := tap.New(2, func(v int) int { return -v })
		tapped.Pass(1) // nobody observes yet
		seen := make(chan int)
		ended := errors.New("ended")
		result := make(chan error)
		go func() {
			result <- tapped.Observe()(context.Background(), func(v int) bool {
				seen <- v
				return true
			})
		}()
		synctest.Wait()
		tapped.Pass(2)
		synctest.Wait() // the observer has taken it
		const behind = 1000
		for v := range behind {
			tapped.Pass(10 + v)
		}
		tapped.Close(ended)
		var values []int
		for {
			select {
			case v := <-seen:
				values = append(values, v)
				continue
			case err := <-result:
				if !errors.Is(err, ended) {
					t.Errorf("it ended with %v", err)
				}
			}
			break
		}
		if want := []int{-2, -1008, -1009}; len(values) != 3 || values[0] != want[0] || values[1] != want[1] || values[2] != want[2] {
			t.Errorf("got %v, want %v", values, want)
		}
	})
}
