package enum_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/internal/enum"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestName(t *testing.T) {
	names := []string{1: "one", 3: "three"}
	for n, want := range map[uint8]string{0: "N(0)", 1: "one", 2: "N(2)", 3: "three", 4: "N(4)", 255: "N(255)"} {
		if got := enum.Name("N", n, names); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
