// Package demo is an auto-configuration service of made-up projects in which something happens all the time.
package demo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

const (
	// Key is the auto-configuration key of the service. It is no secret.
	Key autoconfig.AutoConfigKey = "demo-key-that-is-no-secret"
	// Step is the time between two events.
	Step = 1500 * time.Millisecond

	// The number of environments stays within these limits.
	leastEnvironments = 6
	mostEnvironments  = 24
)

// A scenario changes the configuration of a server.
type scenario struct {
	server *autoconfigtest.Server
	rng    *rand.Rand

	filterVersion int // the last one
}

// Play gives the server a configuration, and then makes something happen every Step, until ctx ends. The same seed makes
// the same happen.
func Play(ctx context.Context, server *autoconfigtest.Server, seed uint64) {
	s := &scenario{server: server, rng: rand.New(rand.NewPCG(seed, seed)), filterVersion: 1}
	server.Put(s.beginning())
	ticker := time.NewTicker(Step)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.step()
		case <-ctx.Done():
			return
		}
	}
}

// step makes one thing happen. Some things happen more often than others.
func (s *scenario) step() {
	s.server.Heartbeat()
	n := len(s.server.Content().Environments)
	switch dice := s.rng.IntN(100); {
	case n <= leastEnvironments || dice < 10 && n < mostEnvironments:
		s.server.Patch(s.environment(pick(s, projects[:]), pick(s, environments[:])))
	case dice < 25:
		s.rotateSDKKey()
	case dice < 35:
		s.rotateMobileKey()
	case dice < 45:
		s.changeKeys()
	case dice < 60:
		s.rename()
	case dice < 75:
		s.changeSettings()
	case dice < 83:
		e := s.any()
		s.server.Delete(e.EnvID, e.Version+1)
	case dice < 90:
		s.changeFilter()
	case dice < 95:
		s.omit()
	default:
		s.loseConnections()
	}
}

// omit sends a put without one of the environments.
func (s *scenario) omit() {
	content := s.server.Content()
	delete(content.Environments, s.any().EnvID)
	s.server.Put(content)
}

// loseConnections cuts all connections; the next attempt may fail, too.
func (s *scenario) loseConnections() {
	if s.rng.IntN(2) == 0 {
		s.server.Next(autoconfigtest.Status(503))
	}
	s.server.CloseConnections()
}
