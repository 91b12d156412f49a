package goroutine

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIDsDiffer(t *testing.T) {
	other := make(chan uint64)
	go func() { other <- ID() }()
	if id := ID(); id == 0 || id != ID() || id == <-other {
		t.Error("the ID of a goroutine is 0, changes, or belongs to two goroutines")
	}
}
