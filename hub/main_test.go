package hub_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(readersOf); address != "" {
		flag.Parse()
		runReaders(address)
		return
	}
	goleak.VerifyTestMain(m)
}
