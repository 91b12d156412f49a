//go:build unix

package faults_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	fleetRuns = flag.Int("fleet.runs", 4, "how many random schedules to run")
	fleetSeed = flag.Uint64("fleet.seed", 1, "the seed of the first schedule; the others have those that follow")
)

// TestRandomFaults runs schedules of what becomes of publishers, NATS servers, connections and the service. What
// happens is made from the seed; when it happens depends on the machine. One of four schedules has a cluster of three
// NATS servers.
func TestRandomFaults(t *testing.T) {
	const together = 6 // on any machine: they wait more than they compute
	var next atomic.Uint64
	var running sync.WaitGroup
	defer running.Wait()
	for range min(together, *fleetRuns) {
		running.Go(func() {
			for i := next.Add(1) - 1; i < uint64(*fleetRuns) && !t.Failed(); i = next.Add(1) - 1 {
				seed := *fleetSeed + i
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { runSchedule(t, seed) })
			}
		})
	}
}

// runSchedule runs the schedule of a seed.
func runSchedule(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	servers := 1
	if seed%4 == 0 {
		servers = 3
	}
	c := newCompany(t, servers, 3, 3, time.Second)
	defer c.report()
	c.note("%s", c.service.put(rng))
	for round := range 2 + rng.IntN(2) {
		c.note("round %d", round)
		for range 5 + rng.IntN(8) {
			for range rng.IntN(4) {
				c.note("service: %s", c.service.act(rng))
			}
			c.note("%s", c.harm(rng))
			if rng.IntN(2) == 0 {
				time.Sleep(time.Duration(rng.Int64N(int64(600 * time.Millisecond))))
			}
		}
		c.heal()
		c.note("service: %s", c.service.act(rng))
		c.quiet()
		if t.Failed() {
			return
		}
	}
	for _, p := range c.publishers {
		p.end()
	}
}

// A harm is something bad that happens, with its chance.
type harm struct {
	name   string
	chance int
	do     func(c *company, rng *rand.Rand)
}

var harms = []harm{
	{"kill a publisher", 12, func(c *company, rng *rand.Rand) { c.victim(rng).kill() }},
	{"end a publisher", 6, func(c *company, rng *rand.Rand) {
		if p := c.victim(rng); p.running() {
			p.nats.set(passing) // it says goodbye
			p.end()
		}
	}},
	{"start the publishers", 8, func(c *company, _ *rand.Rand) { c.employAll() }},
	{"stop a publisher", 12, func(c *company, rng *rand.Rand) { c.victim(rng).stop() }},
	{"let publishers go on that were stopped for longer than the lease", 6, func(c *company, _ *rand.Rand) { c.goOn(false) }},
	{"cut a publisher off the service", 5, func(c *company, rng *rand.Rand) {
		p := c.victim(rng)
		p.service.set(refusing)
		p.service.cut()
	}},
	{"cut the connections to the service", 5, func(c *company, _ *rand.Rand) { c.service.CloseConnections() }},
	{"end the connections to the service", 3, func(c *company, _ *rand.Rand) { c.service.EndConnections() }},
	{"cut everybody off the service", 5, func(c *company, _ *rand.Rand) {
		for _, p := range c.publishers {
			p.service.set(refusing)
			p.service.cut()
		}
	}},
	{"let connections to the service pass", 8, func(c *company, _ *rand.Rand) {
		for _, p := range c.publishers {
			p.service.set(passing)
		}
	}},
	{"cut a publisher's connection to NATS", 7, func(c *company, rng *rand.Rand) { c.victim(rng).nats.cut() }},
	{"cut a publisher off NATS", 5, func(c *company, rng *rand.Rand) {
		p := c.victim(rng)
		p.nats.set(refusing)
		p.nats.cut()
	}},
	{"stall a publisher's connection to NATS", 5, func(c *company, rng *rand.Rand) { c.victim(rng).nats.set(stalled) }},
	{"cut a member's connection to NATS", 7, func(c *company, rng *rand.Rand) { c.someMember(rng).link.cut() }},
	{"cut a member off NATS", 5, func(c *company, rng *rand.Rand) {
		m := c.someMember(rng)
		m.link.set(refusing)
		m.link.cut()
	}},
	{"stall a member's connection to NATS", 5, func(c *company, rng *rand.Rand) { c.someMember(rng).link.set(stalled) }},
	{"let NATS connections pass", 10, func(c *company, _ *rand.Rand) { c.connectAll() }},
	{"a member joins", 2, func(c *company, _ *rand.Rand) { c.join() }},
	{"kill a NATS server", 6, func(c *company, rng *rand.Rand) {
		if b := c.someBroker(rng); b != nil {
			b.kill()
		}
	}},
	{"end a NATS server", 5, func(c *company, rng *rand.Rand) {
		if b := c.someBroker(rng); b != nil {
			b.end()
		}
	}},
	{"stop a NATS server", 3, func(c *company, rng *rand.Rand) {
		if b := c.someBroker(rng); b != nil {
			b.stop()
		}
	}},
	{"start the NATS servers", 12, func(c *company, _ *rand.Rand) { c.brokers.start() }},
}

// harm does one of harms and says which.
func (c *company) harm(rng *rand.Rand) string {
	all := 0
	for _, h := range harms {
		all += h.chance
	}
	n := rng.IntN(all)
	for _, h := range harms {
		if n -= h.chance; n < 0 {
			h.do(c, rng)
			return h.name
		}
	}
	panic("unreachable")
}

// victim returns a publisher, half of the time that which holds the lease.
func (c *company) victim(rng *rand.Rand) *publisher {
	n, half := rng.IntN(len(c.publishers)), rng.IntN(2) == 0
	if p := c.holder(); p != nil && half {
		return p
	}
	return c.publishers[n]
}

func (c *company) someMember(rng *rand.Rand) *member { return c.members[rng.IntN(len(c.members))] }

// someBroker returns a NATS server that may fail: the only one, or one of three of which no other has failed. It is
// nil if there is none.
func (c *company) someBroker(rng *rand.Rand) *process {
	n := rng.IntN(len(c.brokers.processes))
	if len(c.brokers.well()) < len(c.brokers.processes) {
		return nil
	}
	return c.brokers.processes[n]
}

// heal ends all that is bad. Publishers that are stopped go on when their lease has expired.
func (c *company) heal() {
	c.t.Helper()
	c.brokers.start()
	c.connectAll()
	c.goOn(true)
	c.employAll()
	c.note("healed")
}

// connectAll lets all connections pass.
func (c *company) connectAll() {
	for _, p := range c.publishers {
		p.service.set(passing)
		p.nats.set(passing)
	}
	for _, m := range c.members {
		m.link.set(passing)
	}
}

// goOn lets publishers go on that were stopped for longer than the lease: those for which that is so, or all.
func (c *company) goOn(all bool) {
	for _, p := range c.publishers {
		missing := c.lease*3/2 - p.still()
		if p.still() == 0 || !all && missing > 0 {
			continue
		}
		time.Sleep(missing)
		p.goOn()
	}
}

// employAll starts the publishers that do not run.
func (c *company) employAll() {
	c.t.Helper()
	for i, p := range c.publishers {
		if p.running() {
			continue
		}
		if c.note("publisher %d had ended", i); !p.killed() && p.err != nil {
			c.t.Errorf("publisher %d has ended with %v:\n%s", i, p.err, p.said())
		}
		c.employ(p)
	}
}
