package main

import (
	"context"
	"fmt"

	"github.com/relaystream/autoconfig"
)

// A recorder is a MessageHandler that prints its calls.
type recorder struct {
	out   *printer
	calls chan string // receives the name of each call that play waits for
}

func newRecorder(out *printer) *recorder { return &recorder{out, make(chan string, 16)} }

// called tells await of a call, if there is room.
func (r *recorder) called(name string) {
	select {
	case r.calls <- name:
	default:
	}
}

// await waits for a call. If ctx ends first, it returns the cause.
func (r *recorder) await(ctx context.Context, name string) error {
	for {
		select {
		case call := <-r.calls:
			if call == name {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("quickstart: no call of %s: %w", name, context.Cause(ctx))
		}
	}
}

func (r *recorder) AddEnvironment(p autoconfig.EnvironmentParams) {
	r.out.print("handler", "AddEnvironment(%s) with SDK key %v", string(p.EnvID), p.SDKKey)
}

func (r *recorder) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	r.out.print("handler", "UpdateEnvironment(%s) with SDK key %v, expiring %v", string(p.EnvID), p.SDKKey, p.ExpiringSDKKey.Key)
}

func (r *recorder) ReceivedAllEnvironments() {
	r.out.print("handler", "ReceivedAllEnvironments()")
	r.called("ReceivedAllEnvironments")
}

func (r *recorder) DeleteEnvironment(id autoconfig.EnvironmentID) {
	r.out.print("handler", "DeleteEnvironment(%s)", string(id))
	r.called("DeleteEnvironment")
}

func (r *recorder) KeyExpired(id autoconfig.EnvironmentID, old autoconfig.SDKKey) {
	r.out.print("handler", "KeyExpired(%s, %v)", string(id), old)
	r.called("KeyExpired")
}
