package testkit

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// AwaitNoGoroutines waits, in real time, until the goroutines of the test have ended. It fails the test if
// some have not within a minute, longer than goleak.VerifyNone would wait for a slow machine.
func AwaitNoGoroutines(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if goleak.Find() == nil { // which itself waits a little
			return
		}
	}
	goleak.VerifyNone(t)
}
