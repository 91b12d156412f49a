//go:build unix

package faults_test

import (
	"testing"
	"time"

	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestTakeover measures how long a fleet is without a publisher: after the end of one, and after its death. It asserts
// the order only, since machines differ: another takes over, what the service said meanwhile arrives, and there is one
// connection to the service afterwards.
func TestTakeover(t *testing.T) {
	for _, test := range []struct {
		name  string
		lease time.Duration
		leave func(*publisher)
	}{
		{"end", time.Hour, (*publisher).end}, // not before an hour, if nobody handed over
		{"kill", time.Second, func(p *publisher) { p.kill() }},
		{"kill, longer lease", 3 * time.Second, func(p *publisher) { p.kill() }},
		{"stop", time.Second, func(p *publisher) { p.stop() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t, 1, 3, 2, test.lease)
			defer c.report()
			c.service.Put(testkit.Listing(testkit.Environment("a", 1)))
			c.quiet()
			first, start := c.leader(), time.Now()
			test.leave(first)
			gone := time.Now()
			c.service.Patch(testkit.Environment("a", 2))
			c.eventually("another takes over", func() bool { return c.holder() != nil && c.holder() != first })
			taken := time.Now()
			c.eventually("the members hear of it", func() bool {
				return c.members[0].equals(c.service.Content()) && c.members[1].equals(c.service.Content())
			})
			t.Logf("lease %v: gone after %v, another publisher after %v, members up to date after %v", test.lease,
				gone.Sub(start).Round(time.Millisecond), taken.Sub(start).Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
			first.goOn()
			c.quiet()
		})
	}
}

// TestStoppedPublisherWritesNothing: a publisher that was stopped while it held the lease goes on when another has it.
// What it has read meanwhile it does not write.
func TestStoppedPublisherWritesNothing(t *testing.T) {
	c := newCompany(t, 1, 2, 1, time.Second)
	defer c.report()
	c.service.Put(testkit.Listing(testkit.Environment("a", 1)))
	c.quiet()
	first := c.leader()
	c.eventually("it has told what it wrote", func() bool { return first.now().Written > 0 }) // all in one batch
	first.stop()
	c.service.Patch(testkit.Environment("a", 2)) // waits in its connection
	c.eventually("the other takes over", func() bool { return c.holder() != nil })
	c.eventually("the member is up to date", func() bool { return c.members[0].equals(c.service.Content()) })
	before, after := first.now(), fleet.Status{}
	first.goOn()
	c.eventually("it knows that it has lost the lease", func() bool { after = first.now(); return !after.Holding })
	if after.Written != before.Written {
		t.Errorf("before %+v, after %+v", before, after)
	}
	c.quiet()
}
