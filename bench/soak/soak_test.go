package soak

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A short run does everything that a long one does.
func TestRun(t *testing.T) {
	result, err := Run(t.Context(), Config{Seed: 1, For: 1200 * time.Millisecond, Round: 300 * time.Millisecond, Environments: 50})
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
	if sum.Messages == 0 || sum.Delivered == 0 || sum.Faults == 0 || sum.Visitors == 0 || len(result.Trends) == 0 {
		t.Errorf("nothing has happened: %+v", result)
	}
}
