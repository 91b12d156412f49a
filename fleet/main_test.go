package fleet_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/internal/testkit"
)

func TestMain(m *testing.M) {
	if testkit.RaceDetected() {
		_ = flag.Set("rapid.checks", "40") // in the place of 100; the flag has its say later
	}
	goleak.VerifyTestMain(m)
}
