package soak

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// These limits are short, so that faults exceed them within a round.
const (
	timeout      = time.Second
	maxEventSize = 1 << 20
)

// retryDelay is short, so that many faults happen in a round before the delay has grown to seconds.
const retryDelay = time.Millisecond

// options returns the options of all clients.
func (n *network) options(cache string) *autoconfig.Options {
	o := &autoconfig.Options{
		BaseURI: address, HTTPClient: n.client, InitialRetryDelay: retryDelay, Logger: slog.New(slog.DiscardHandler),
		ConnectTimeout: timeout, IdleTimeout: timeout, MaxEventSize: maxEventSize,
	}
	if cache != "" {
		o.Cache = &autoconfig.FileCache{Path: cache}
	}
	return o
}

// manager returns a StreamManager. It has no options.
func (n *network) manager(h autoconfig.MessageHandler) *autoconfig.StreamManager {
	return autoconfig.NewStreamManager(key, address, h, httpConfig{n.client}, retryDelay, ldlog.NewDisabledLoggers())
}

type httpConfig struct{ client *http.Client }

func (c httpConfig) Client() *http.Client { return c.client }

// A follower receives all changes.
type follower interface {
	// fault describes what is wrong with the changes, "" if nothing is.
	fault() string
	// differs describes how the follower's configuration differs from want, "" if it doesn't.
	differs(want configuration) string
}

// A crowd is the residents and the visitors.
type crowd struct {
	home      *network // of the residents
	away      *network // of the visitors
	cache     string
	client    *autoconfig.Client
	manager   *autoconfig.StreamManager
	names     []string // of the followers
	followers []follower
	staying   sync.WaitGroup
	failed    chan error // receives the first error

	mu       sync.Mutex // guards the fields below
	rng      *rand.Rand
	visitors int
	closing  time.Duration
	visiting sync.WaitGroup
}

// gather connects the residents.
func gather(content decode.PutContent, cache string, rng *rand.Rand) (*crowd, error) {
	c := &crowd{
		home: newNetwork(rng.Uint64()), away: newNetwork(rng.Uint64()),
		cache: cache, failed: make(chan error, 1), rng: rng,
	}
	for _, n := range []*network{c.home, c.away} {
		n.replace()
		n.server.Put(content)
	}
	client, err := autoconfig.Open(context.Background(), key, c.home.options(cache))
	if err != nil {
		c.home.close()
		c.away.close()
		return nil, err
	}
	c.client = client
	c.stay("a subscriber", client.Changes())
	c.stay("a lossless subscriber", client.ChangesUnder(stream.Block[autoconfig.Change](256)))
	h := newHandler()
	c.names, c.followers = append(c.names, "a handler"), append(c.followers, h)
	c.manager = c.home.manager(h)
	c.manager.Start()
	return c, nil
}

func (c *crowd) stay(name string, changes stream.Observable[autoconfig.Change]) {
	m := &mirror{}
	c.names, c.followers = append(c.names, name), append(c.followers, m)
	c.staying.Go(func() {
		err := changes.ForEach(context.Background(), func(change autoconfig.Change) error {
			m.apply(change)
			return nil
		})
		if err != nil {
			c.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
}

func (c *crowd) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// wrong returns the first error, nil if there is none.
func (c *crowd) wrong() error {
	for i, f := range c.followers {
		if problem := f.fault(); problem != "" {
			return fmt.Errorf("%w: %s: %s", ErrDiverged, c.names[i], problem)
		}
	}
	select {
	case err := <-c.failed:
		return err
	default:
		return nil
	}
}

// differs describes the first resident whose configuration differs from want, "" if none does.
func (c *crowd) differs(want configuration) string {
	if d := want.compare(configurationOf(c.client.Snapshot())); d != "" {
		return "the client: " + d
	}
	for i, f := range c.followers {
		if d := f.differs(want); d != "" {
			return c.names[i] + ": " + d
		}
	}
	return ""
}

func configurationOf(s autoconfig.Snapshot) configuration {
	c := configuration{
		environments: make(map[autoconfig.EnvironmentID]*autoconfig.EnvironmentRep, len(s.Environments)),
		filters:      make(map[autoconfig.FilterID]*autoconfig.Filter, len(s.Filters)),
	}
	for _, e := range s.Environments {
		c.environments[e.EnvID] = e
	}
	for _, f := range s.Filters {
		c.filters[f.ID] = f
	}
	return c
}

// leave closes everything.
func (c *crowd) leave() {
	c.client.Close()
	c.manager.Close()
	c.staying.Wait()
	c.visiting.Wait()
	c.home.close()
	c.away.close()
}

// closed calls f, which closes something, and records how long that takes.
func (c *crowd) closed(f func()) {
	start := time.Now()
	f()
	took := time.Since(start)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = max(c.closing, took)
}

// unexpected reports whether a visit must not end with this error.
func unexpected(err error) bool {
	return err != nil && !errors.Is(err, errLeft) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, stream.ErrSlowConsumer)
}

// seen returns the number of visitors, and the longest time that closing took, since the last call.
func (c *crowd) seen() (visitors int, closing time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	visitors, closing = c.visitors, c.closing
	c.visitors, c.closing = 0, 0
	return visitors, closing
}
