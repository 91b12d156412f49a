package fleet_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/stream"
)

// TestPublisherThatLeavesHandsOver: nobody waits for the lease to expire, which would take an hour. At no time there are
// two subscriptions to the service.
func TestPublisherThatLeavesHandsOver(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	o := fleet.Options{Lease: time.Hour}
	first := publish(t, b.connect(), up.observe, o)
	eventually(t, "the first takes the lease", first.holding)
	second := publish(t, b.connect(), up.observe, o)
	m := member(t, b.connect(), fleet.Options{})
	ready(t, m)
	if n, _ := up.counts(); n != 1 || second.holding() {
		t.Errorf("%d subscriptions to the service", n)
	}
	first.stop(t)
	eventually(t, "the second takes over", second.holding)
	if s := first.status.Get(); s.Holding || s.Since.IsZero() {
		t.Errorf("%+v", s)
	}
	up.apply(patch(environment("a", 2)))
	has(t, m, "a:2")
	if n, all := up.counts(); n != 1 || all != 2 {
		t.Errorf("%d subscriptions to the service, %d in all", n, all)
	}
}

// TestPublisherThatDiesIsReplaced when its lease has expired.
func TestPublisherThatDiesIsReplaced(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	o := fleet.Options{Lease: time.Second}
	doomed := b.connect()
	first := publish(t, doomed, up.observe, o)
	eventually(t, "the first takes the lease", first.holding)
	second := publish(t, b.connect(), up.observe, o)
	doomed.Conn().Close() // from now on it can neither renew nor release
	first.wait(t)
	if !errors.Is(first.err, nats.ErrConnectionClosed) {
		t.Error(first.err)
	}
	eventually(t, "the second takes over", second.holding)
}

// TestPublisherThatIsStopped for longer than its lease, and goes on, changes nothing and stands by again. It is stopped
// by the subscriber of its status.
func TestPublisherThatIsStopped(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	o := fleet.Options{Lease: time.Second}
	first := publish(t, b.connect(), up.observe, o)
	eventually(t, "the first takes the lease", first.holding)
	resume, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		_ = first.status.Observe(stream.Block[fleet.Status](1))(t.Context(), func(s fleet.Status) bool {
			<-resume
			return s.Holding // until it knows
		})
	}()
	second := publish(t, b.connect(), up.observe, fleet.Options{Lease: time.Hour}) // which it does not lose, however busy the machine
	eventually(t, "the second takes over", second.holding)
	m := member(t, b.connect(), fleet.Options{})
	ready(t, m)
	up.apply(patch(environment("a", 2)))
	has(t, m, "a:2")
	close(resume)
	<-stopped
	if s := first.status.Get(); s.Holding || s.Err == nil {
		t.Errorf("%+v", s)
	}
	up.apply(patch(environment("a", 3)))
	has(t, m, "a:3")
	if !second.holding() || first.holding() {
		t.Error("the lease has changed hands")
	}
}
