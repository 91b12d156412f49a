package main

import "github.com/relaystream/autoconfig"

// A recorder is a MessageHandler that prints its calls.
type recorder struct {
	out     *printer
	expired chan struct{} // receives a token for each KeyExpired
	deleted chan struct{} // receives a token for each DeleteEnvironment
}

func newRecorder(out *printer) *recorder {
	return &recorder{out: out, expired: make(chan struct{}, 1), deleted: make(chan struct{}, 1)}
}

func (r *recorder) AddEnvironment(p autoconfig.EnvironmentParams) {
	r.out.print("handler", "AddEnvironment(%s) with SDK key %v", string(p.EnvID), p.SDKKey)
}

func (r *recorder) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	r.out.print("handler", "UpdateEnvironment(%s) with SDK key %v, expiring %v", string(p.EnvID), p.SDKKey, p.ExpiringSDKKey.Key)
}

func (r *recorder) ReceivedAllEnvironments() { r.out.print("handler", "ReceivedAllEnvironments()") }

func (r *recorder) DeleteEnvironment(id autoconfig.EnvironmentID) {
	r.out.print("handler", "DeleteEnvironment(%s)", string(id))
	r.deleted <- struct{}{}
}

func (r *recorder) KeyExpired(id autoconfig.EnvironmentID, old autoconfig.SDKKey) {
	r.out.print("handler", "KeyExpired(%s, %v)", string(id), old)
	r.expired <- struct{}{}
}
