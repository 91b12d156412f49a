package synth

import "time"

// A Config describes a stream. The same Config gives the same bytes, if its Expiry does. Shares are between 0 and 1.
type Config struct {
	// Seed starts the random numbers.
	Seed uint64
	// Environments is how many environments there are, the mark included. At least 1.
	Environments int
	// PutSize is how many of them the put lists, 0 for all; Rest introduces the others.
	PutSize int
	// Filters is how many payload filters the put lists.
	Filters int
	// NameLength is the mean length, in bytes, of each of an environment's four names.
	NameLength int
	// Rotating is the share of environments whose SDK key is rotated, by every other update of them.
	Rotating float64
	// Expiry, if not nil, says when a key expires that is being replaced. By default that is in the
	// year 2100.
	Expiry func() time.Time
	// ConcurrentKeys is the share of environments that list all their accepted keys.
	ConcurrentKeys float64

	// The next four are shares of the messages of Blocks and Play; what is left are updates. Where one falls
	// on an environment that is not announced yet or is deleted, an update is sent in its place.

	// Stale is the share that patches an environment with an older version and other content.
	Stale float64
	// Unchanged is the share that repeats the current version and content; of a deleted environment, the
	// deletion.
	Unchanged float64
	// Deletes is the share that deletes an environment. A later update brings it back.
	Deletes float64
	// FilterPatches is the share that updates a filter, if there are Filters.
	FilterPatches float64
	// Unusual is the share of the updates of environments, and of nothing else, in JSON that the service
	// would not write but may: names beyond ASCII or in need of escapes, white space over several data
	// lines, members in another order.
	Unusual float64
}

// Default is the stream that benchmarks use if nothing else is asked for: 1,000 environments, and
// patches of about 386 bytes of JSON of which each changes one environment.
func Default() Config {
	return Config{Seed: 1, Environments: 1000, NameLength: 10, Rotating: 0.05}
}
