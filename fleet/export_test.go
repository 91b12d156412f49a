package fleet

import "time"

// FreePort returns a port that nobody uses.
var FreePort = freePort

// WithHeartbeat returns o with another heartbeat.
func WithHeartbeat(o Options, d time.Duration) *Options {
	o.Heartbeat = d
	return &o
}
