// Package soak lets a client, a StreamManager and those who subscribe to them run for long against a
// real server on an unreliable network, and looks for what grows and for what goes wrong.
//
// A run is a series of rounds. The server changes what it serves at full speed; keys are rotated and
// expire. Subscribers under every policy come and go, quick ones, slow ones and some that stop for a
// while. So do further clients, whose network is never reliable: connections break, stall or are slow,
// requests are answered with nonsense, bytes are changed on their way. Those who stay meet with that
// only in some rounds, in which their server is replaced by another one, too, as at a restart. For a
// client makes longer and longer waits between connections, and forgets that only after a connection
// has lived for a minute.
//
// At the end of each round, everybody who lost nothing on purpose must soon know exactly what the
// server serves, by changes that follow from each other. Once all visitors have left, what the process
// takes up is read.
//
// What grows from round to round is a leak: see Trend.
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
	// Seed decides on the faults, on who comes, and on what the server says. When things happen is
	// the machine's to decide, so that two runs of one seed are alike but not the same.
	Seed uint64
	// For is how long the run takes. The last round is brought to its end.
	For time.Duration
	// Round is how long a round lasts before those who stay are waited for.
	Round time.Duration
	// Environments is how many there are.
	Environments int
	// Progress, if not nil, is called after each round.
	Progress func(Sample)
}

// A Sample is what a round has shown.
type Sample struct {
	// At is how long after the start of the run the round ended.
	At time.Duration `json:"at"`
	// Storm tells that those who stay had faults, too.
	Storm bool `json:"storm"`
	// Rest is what the process took up when the round was over.
	Rest usage.Usage `json:"rest"`
	// Lag is the largest number of changes that waited for a subscriber of the default policy.
	Lag int `json:"lag"`
	// Messages is how many the server sent, and Delivered how many changes subscribers got.
	Messages  int    `json:"messages"`
	Delivered uint64 `json:"delivered"`
	// Connections is how many there were, and Faults how many of them, and of the requests, were spoiled.
	Faults      int `json:"faults"`
	Connections int `json:"connections"`
	// Visitors counts the subscribers, clients and managers that came and went.
	Visitors int `json:"visitors"`
	// Recovery is how long it took, after the faults, until everybody knew what the server served.
	Recovery time.Duration `json:"recovery"`
	// Closing is the longest time that closing a client or manager took.
	Closing time.Duration `json:"closing"`
}

// A Result is what a run has shown.
type Result struct {
	Samples []Sample `json:"samples"`
	Trends  []Trend  `json:"trends"`
}

// ErrDiverged reports that somebody did not come to know what the server served, or was told of
// changes that do not follow from each other.
var ErrDiverged = errors.New("soak: diverged")

// betweenStorms is so long that clients begin each storm with short waits between connections.
const betweenStorms = 65 * time.Second

// Run runs until cfg.For has passed, ctx ends or something goes wrong. The result is as far as it
// got. A trend is no error.
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
	// All of it now, or else the samples themselves would grow.
	result.Samples = make([]Sample, 0, cfg.For/cfg.Round+1)
	for n := 0; ctx.Err() == nil && time.Since(start) < cfg.For; n++ {
		r := round{Config: cfg, stream: stream, crowd: crowd, storm: time.Since(calm) > betweenStorms}
		sample, err := r.run(ctx)
		if ctx.Err() != nil {
			break // what the end of ctx has made of this round says nothing
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

// stream has every kind of message. The keys that are replaced expire so soon that few are still waiting
// to when the round is over: how many would depend on the machine's mood.
func (c Config) stream() synth.Config {
	expiries := rand.New(rand.NewPCG(c.Seed, 0xe29))
	return synth.Config{
		Seed: c.Seed, Environments: c.Environments, Filters: 10, NameLength: 12,
		Rotating: 0.3, ConcurrentKeys: 0.3, Stale: 0.05, Unchanged: 0.05, Deletes: 0.05, FilterPatches: 0.02, Unusual: 0.1,
		Expiry: func() time.Time { return time.Now().Add(time.Duration(expiries.Int64N(int64(c.Round/8 + 1)))) },
	}
}
