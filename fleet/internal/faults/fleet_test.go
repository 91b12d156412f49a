//go:build unix

package faults_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A company is a whole fleet: a service, NATS, publishers and members.
type company struct {
	t          *testing.T
	service    *service
	brokers    *brokers
	publishers []*publisher
	members    []*member
	lease      time.Duration

	mu  sync.Mutex
	log []string
}

// A publisher is a process that runs fleet.Publish.
type publisher struct {
	*process
	service, nats *link

	mu     sync.Mutex
	status fleet.Status
}

func newCompany(t *testing.T, servers, publishers, members int, lease time.Duration) *company {
	t.Helper()
	c := &company{t: t, service: newService(), lease: lease}
	t.Cleanup(c.service.Close)
	c.brokers = newBrokers(t, servers)
	for i := range publishers {
		p := &publisher{service: newLink(t, strings.TrimPrefix(c.service.URL, "http://")), nats: c.brokers.link(i)}
		c.publishers = append(c.publishers, p)
		c.employ(p)
	}
	for range members {
		c.join()
	}
	return c
}

// employ starts the process of a publisher.
func (c *company) employ(p *publisher) {
	c.t.Helper()
	p.set(fleet.Status{})
	cast := publisherCast{NATS: "nats://" + p.nats.address, Service: "http://" + p.service.address, Lease: c.lease, Replicas: len(c.brokers.casts)}
	p.process = launch(c.t, "publisher", cast, func(line []byte) {
		var s fleet.Status
		if err := json.Unmarshal(line, &s); err == nil {
			p.set(s)
		}
	})
}

// join adds a member.
func (c *company) join() {
	n := len(c.members)
	c.members = append(c.members, join(c.t, fmt.Sprint("member ", n), c.service, c.brokers.link(n)))
}

func (p *publisher) set(s fleet.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = s
}

func (p *publisher) now() fleet.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// holding reports whether the publisher says that it holds the lease.
func (p *publisher) holding() bool { return p.now().Holding && p.running() }

// holder returns the publisher that holds the lease, nil if none or several believe so.
func (c *company) holder() (holder *publisher) {
	for _, p := range c.publishers {
		if p.holding() && p.still() == 0 {
			if holder != nil {
				return nil
			}
			holder = p
		}
	}
	return holder
}

// leader waits for the publisher that holds the lease. With a short lease, a busy machine may be without one for a moment.
func (c *company) leader() (holder *publisher) {
	c.t.Helper()
	if !c.eventually("there is a publisher", func() bool { holder = c.holder(); return holder != nil }) {
		c.t.FailNow()
	}
	return holder
}

func (c *company) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
}

// eventually waits until ok, and reports whether that came to be.
func (c *company) eventually(what string, ok func() bool) bool {
	c.t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Errorf("in vain: %s", what)
			return false
		}
	}
	return true
}

// quiet waits until everything has come to rest, and checks what must hold then.
func (c *company) quiet() {
	c.t.Helper()
	c.eventually("one publisher is connected to the service", func() bool { return c.holder() != nil && c.service.Connections() == 1 })
	for _, m := range c.members {
		current := func() decode.PutContent { return testkit.Current(c.service.Content()) }
		if !c.eventually(m.mirror.Name+" equals the service", func() bool { return m.equals(current()) }) {
			m.mirror.Check(c.t, current())
		}
		m.check(c.t)
	}
}

// report logs what has happened if the test has failed.
func (c *company) report() {
	if !c.t.Failed() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t.Logf("what happened:\n%s", strings.Join(c.log, "\n"))
	for i, p := range c.publishers {
		c.t.Logf("publisher %d: %+v, running %v:\n%s", i, p.now(), p.running(), p.said())
	}
	for i, m := range c.members {
		c.t.Logf("member %d: %+v", i, m.client.Stats().Status)
	}
}
