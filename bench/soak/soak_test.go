package soak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A short run does everything that a long one does, if the machine is not too busy: so there is a longer one then.
func TestRun(t *testing.T) {
	length := 1200 * time.Millisecond
	for !everything(t, length) {
		if length *= 2; length > 2*time.Minute {
			t.Fatal("a part of it does not happen")
		}
	}
}

// everything reports whether a run of that length has a bit of everything.
func everything(t *testing.T, length time.Duration) bool {
	result, err := Run(t.Context(), Config{Seed: 1, For: length, Round: 300 * time.Millisecond, Environments: 50})
	if err != nil {
		t.Fatal(err)
	}
	var sum Sample
	for _, s := range result.Samples {
		sum.Messages += s.Messages
		sum.Delivered += s.Delivered
		sum.Faults += s.Faults
		sum.Visitors += s.Visitors
	}
	t.Logf("in %v: %+v", length, sum)
	return sum.Messages > 0 && sum.Delivered > 0 && sum.Faults > 0 && sum.Visitors > 0 && len(result.Trends) > 0
}
