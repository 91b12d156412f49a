// Package soak runs a client, a StreamManager and their subscribers for a long time against a real server on
// an unreliable network, and looks for leaks and wrong results.
//
// A run is a series of rounds. The server changes its content at full speed; keys are rotated and expire.
// Visitors come and go: subscribers with every policy, some fast, some slow, some pausing, and clients
// whose network is always unreliable: connections break, stall or are slow, requests get nonsense as
// answers, bytes change on the way. The residents, who stay for the whole run, have such a network only in
// some rounds, the storms, in which a new server also replaces theirs. Storms are rare because a client
// waits longer and longer between connections until one has lasted for a minute.
//
// At the end of each round, everybody who lost nothing on purpose must soon have exactly what the server
// serves, through changes that follow from each other. When all visitors have left, the usage of the process
// is measured. If it grows from round to round, there is a leak: see Trend.
package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
	"github.com/relaystream/autoconfig/decode"
)

// A Config describes a run.
type Config struct {
	// Seed determines faults, visitors and messages, but not their timing: two runs with one seed are
	// similar, not the same.
	Seed uint64
	// For is the duration of the run. The last round is completed.
	For time.Duration
	// Round is the duration of a round, without the time for residents to recover.
	Round time.Duration
	// Environments is the number of environments.
	Environments int
	// Progress, if not nil, is called after each round.
	Progress func(Sample)
}

// A Sample has the results of a round.
type Sample struct {
	// At is the end of the round, as the time since the start of the run.
	At time.Duration `json:"at"`
	// Storm says whether residents had faults, too.
	Storm bool `json:"storm"`
	// Rest is the usage of the process after the round.
	Rest usage.Usage `json:"rest"`
	// Lag is the largest number of changes that waited for a subscriber with the default policy.
	Lag int `json:"lag"`
	// Messages is the number of messages that the server sent.
	Messages int `json:"messages"`
	// Delivered is the number of changes that subscribers received.
	Delivered uint64 `json:"delivered"`
	// Faults is the number of connections and requests with a fault.
	Faults int `json:"faults"`
	// Connections is the number of connections.
	Connections int `json:"connections"`
	// Visitors is the number of subscribers, clients and managers that came and went.
	Visitors int `json:"visitors"`
	// Recovery is the time from the end of the faults until everybody had what the server served.
	Recovery time.Duration `json:"recovery"`
	// Closing is the longest time that it took to close a client or manager.
	Closing time.Duration `json:"closing"`
}

// A Result has the results of a run.
type Result struct {
	Samples []Sample `json:"samples"`
	Trends  []Trend  `json:"trends"`
}

// ErrDiverged reports a follower that did not end with what the server served, or received changes that do
// not follow from each other.
var ErrDiverged = errors.New("soak: diverged")

// betweenStorms is long enough that clients begin each storm with short delays between connections.
const betweenStorms = 65 * time.Second

// Run runs until cfg.For has passed, ctx ends or an error occurs. The result has all rounds until then. A
// trend is not an error.
func Run(ctx context.Context, cfg Config) (result Result, err error) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	rng := rand.New(rand.NewPCG(cfg.Seed, 0x50a))
	stream := synth.New(cfg.stream())
	content := decode.PutContent{Environments: stream.Environments(), Filters: stream.Filters()}
	crowd, err := gather(content, filepath.Join(dir, "cache"), rng)
	if err != nil {
		return Result{}, err
	}
	defer crowd.leave()
	start, calm := time.Now(), time.Time{}
	// Allocated in advance, so that the samples themselves don't count as growth.
	result.Samples = make([]Sample, 0, cfg.For/cfg.Round+1)
	for n := 0; ctx.Err() == nil && time.Since(start) < cfg.For; n++ {
		r := round{Config: cfg, stream: stream, crowd: crowd, storm: time.Since(calm) > betweenStorms}
		sample, err := r.run(ctx)
		if ctx.Err() != nil {
			break // an interrupted round says nothing
		}
		if err != nil {
			return result.judged(), fmt.Errorf("seed %d, round %d: %w", cfg.Seed, n, err)
		}
		if r.storm {
			calm = time.Now()
		}
		sample.At = time.Since(start)
		result.Samples = append(result.Samples, sample)
		if cfg.Progress != nil {
			cfg.Progress(sample)
		}
	}
	return result.judged(), nil
}

// stream returns the Config of a stream with every kind of message. Replaced keys expire so soon that few
// are pending at the end of a round, because their number would depend on the timing.
func (c Config) stream() synth.Config {
	expiries := rand.New(rand.NewPCG(c.Seed, 0xe29))
	return synth.Config{
		Seed: c.Seed, Environments: c.Environments, Filters: 10, NameLength: 12,
		Rotating: 0.3, ConcurrentKeys: 0.3, Stale: 0.05, Unchanged: 0.05, Deletes: 0.05, FilterPatches: 0.02, Unusual: 0.1,
		Expiry: func() time.Time { return time.Now().Add(time.Duration(expiries.Int64N(int64(c.Round/8 + 1)))) },
	}
}
