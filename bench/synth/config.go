package synth

import "time"

// A Config describes a stream. The same Config gives the same bytes, unless Expiry returns other times.
// Shares are between 0 and 1.
type Config struct {
	// Seed is the seed of the random numbers.
	Seed uint64
	// Environments is the number of environments, the mark included. It is at least 1.
	Environments int
	// PutSize is the number of environments in the put, 0 for all. Rest adds the others.
	PutSize int
	// Filters is the number of payload filters in the put.
	Filters int
	// NameLength is the mean length in bytes of each of the four names of an environment.
	NameLength int
	// Rotating is the share of environments whose SDK key every other update rotates.
	Rotating float64
	// Expiry, if not nil, returns the time when a replaced key expires. By default that is in the year
	// 2100.
	Expiry func() time.Time
	// ConcurrentKeys is the share of environments that list all accepted keys.
	ConcurrentKeys float64

	// The next four are shares of the messages of Blocks and Play; the rest are updates. If such a
	// message would concern an environment that is not announced yet or is deleted, an update replaces
	// it.

	// Stale is the share of patches with an older version and different content.
	Stale float64
	// Unchanged is the share of messages that repeat the current version and content, or the deletion of
	// a deleted environment.
	Unchanged float64
	// Deletes is the share of deletions. A later update brings the environment back.
	Deletes float64
	// FilterPatches is the share of updates of filters, if there are any.
	FilterPatches float64
	// Unusual is the share of updates of environments in JSON that the service could write but doesn't:
	// with names outside ASCII or with escapes, white space over several data lines, or members in a
	// different order.
	Unusual float64
}

// Default returns the usual stream of the benchmarks: 1,000 environments, and patches of about 386 bytes
// of JSON that each change one environment (TestDefaultPatchSize).
func Default() Config {
	return Config{Seed: 1, Environments: 1000, NameLength: 10, Rotating: 0.05}
}
