//go:build unix

// Package faults tests one property of whole fleets: whatever happens to publishers, to NATS and to the network
// between, once it is quiet every member's state equals that of the service, its changes led to exactly that state, it
// deleted nothing that the service had not deleted or omitted, and no key expired twice.
//
// Publishers and NATS servers are processes: this test binary, started again with the environment variable
// FLEET_FAULTS_ROLE.
package faults_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}
