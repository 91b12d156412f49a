package fleet

import "time"

// WithHeartbeat returns o with another heartbeat.
func WithHeartbeat(o Options, d time.Duration) *Options {
	o.Heartbeat = d
	return &o
}
