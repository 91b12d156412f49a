package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestStartDuringWrites: the first Put has every item, though each is replaced all the time, so that its message is
// removed before the member can get it. The news that the initial values are complete comes too early then, if it is
// by their number.
func TestStartDuringWrites(t *testing.T) {
	const items = 300
	starts := 40
	if testkit.RaceDetected() {
		starts = 10
	}
	b, up := newBroker(t), newUpstream()
	var all []autoconfig.EnvironmentRep
	for i := range items {
		all = append(all, environment(autoconfig.EnvironmentID(fmt.Sprint("e", i)), 1))
	}
	up.put(all...)
	js := b.connect()
	publish(t, js, up.observe, fleet.Options{})
	ready(t, member(t, js, fleet.Options{}))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for version := 2; ; version++ {
			for i := range all {
				select {
				case <-stop:
					return
				default:
					all[i].Version = version
					up.apply(patch(all[i]))
				}
			}
		}
	}()
	for range starts {
		m, err := fleet.Source(js, testkit.Key, nil).First(t.Context())
		if err != nil || m.Kind != decode.Put || len(m.Put.Environments) != items {
			t.Error(m, err)
		}
	}
	close(stop)
	<-stopped
}

// TestServerRestarts: publishers and members go on by themselves, miss nothing, and leave no consumer behind. What
// changes while the server is away is there afterwards.
func TestServerRestarts(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	for range 2 {
		publish(t, b.connect(), up.observe, fleet.Options{Lease: time.Second})
	}
	m := member(t, b.connect(), fleet.Options{})
	ready(t, m)
	seen := testkit.Watch(m.Changes())
	seen.Await(t, 3)
	for version := 2; version < 6; version++ {
		b.stop()
		up.apply(patch(environment("a", version)))
		if s := m.Snapshot(); len(s.Environments) != 2 {
			t.Errorf("the member lost what it had: %v", s)
		}
		b.start()
		has(t, m, fmt.Sprintf("a:%d b:1", version))
	}
	js := b.connect()
	eventually(t, "one consumer for the member, one for the publisher that stands by", func() bool { return b.consumers(js, fleet.DefaultBucket) == 2 })
	for _, c := range seen.Stop() {
		if c.Kind == autoconfig.EnvironmentDeleted {
			t.Error(c)
		}
	}
}

// TestConsumerIsLost: a member notices when its consumer is gone and the server says nothing of it.
func TestConsumerIsLost(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	eventually(t, "the configuration is written", func() bool { return p.status.Get().Written == 2 })
	m := member(t, js, fleet.Options{})
	ready(t, m)
	s, err := js.Stream(t.Context(), "KV_"+fleet.DefaultBucket)
	if err != nil {
		t.Fatal(err)
	}
	inTime := true
	for version := 2; version < 4; version++ {
		start := time.Now()
		for name := range s.ConsumerNames(t.Context()).Name() {
			// On a busy machine the member may have replaced it meanwhile.
			if err := s.DeleteConsumer(t.Context(), name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
				t.Fatal(err)
			}
		}
		up.apply(patch(environment("a", version)))
		has(t, m, fmt.Sprintf("a:%d", version))
		inTime = inTime && time.Since(start) < outage
	}
	if inTime && status(t, m).Err != nil || !p.holding() {
		t.Error("more than the consumer was replaced:", status(t, m).Err)
	}
	eventually(t, "one consumer", func() bool { return b.consumers(js, fleet.DefaultBucket) == 1 })
}

// TestConnectionIsCut: messages that are lost with a connection are asked for again, without a new Put.
func TestConnectionIsCut(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	publish(t, b.connect(), up.observe, fleet.Options{Lease: time.Hour})
	js := b.connect()
	m := member(t, js, fleet.Options{})
	ready(t, m)
	messages := testkit.Watch(m.Messages())
	for version := 2; version < 10; version++ {
		start := time.Now()
		if err := js.Conn().ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		up.apply(patch(environment("a", version)))
		has(t, m, fmt.Sprintf("a:%d", version))
		inTime := time.Since(start) < outage
		for _, m := range messages.Take() {
			if inTime && m.Kind == decode.Put {
				t.Error("the bucket was read anew")
			}
		}
	}
	messages.Stop()
	eventually(t, "one consumer", func() bool { return b.consumers(js, fleet.DefaultBucket) == 1 })
}

// TestPublisherIsCut: a publisher that loses its connection again and again while it writes keeps its lease and its
// subscription to the service.
func TestPublisherIsCut(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	m := member(t, b.connect(), fleet.Options{})
	ready(t, m)
	stop, written := make(chan struct{}), make(chan int)
	go func() {
		for version := 2; ; version++ {
			up.apply(patch(environment("a", version)))
			select {
			case <-stop:
				written <- version
				return
			default:
			}
		}
	}()
	for range 50 {
		before := p.status.Get().Written
		if err := js.Conn().ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the publisher goes on", func() bool { return p.status.Get().Written > before+100 })
	}
	close(stop)
	has(t, m, fmt.Sprint("a:", <-written))
	if _, all := up.counts(); all != 1 || !p.holding() {
		t.Errorf("%d subscriptions to the service, %+v", all, p.status.Get())
	}
}

// TestBucketIsReplaced: a member does not wait for sequences of a bucket that is no more, nor takes an item for another
// because the new bucket counts its lives from the beginning.
func TestBucketIsReplaced(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	js := b.connect()
	publish(t, js, up.observe, fleet.Options{Lease: time.Second})
	m := member(t, js, fleet.Options{})
	ready(t, m)
	up.apply(patch(environment("stays", 1)))
	has(t, m, "a:1 b:1 stays:1")
	seen := testkit.Watch(m.Changes())
	seen.Await(t, 4)
	if err := js.DeleteStream(t.Context(), "KV_"+fleet.DefaultBucket); err != nil {
		t.Fatal(err)
	}
	up.put(environment("b", 2), environment("stays", 1))
	has(t, m, "b:2 stays:1")
	if changes := short(seen.Stop()); slices.Contains(changes, "environment deleted stays") {
		t.Error(changes)
	}
}

// TestMarkersOfOthers: what somebody without the secret writes does not end a member, nor take an item from it.
func TestMarkersOfOthers(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	eventually(t, "the configuration is written", func() bool { return p.status.Get().Written == 3 })
	m := member(t, js, fleet.Options{})
	ready(t, m)
	for _, r := range raw(t, js, fleet.DefaultBucket) {
		if r.Subject != "$KV.autoconfig.lease" {
			marker := &nats.Msg{Subject: r.Subject, Header: nats.Header{"KV-Operation": {"DEL"}}}
			if _, err := js.PublishMsg(t.Context(), marker, jetstream.WithMsgTTL(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	up.apply(patch(environment("b", 2)))
	has(t, m, "a:1 b:2")
	if err := status(t, m).Err; err != nil {
		t.Error(err)
	}
}

// TestLeaseOfOthers: a member does not mind who holds the lease, even under another key.
func TestLeaseOfOthers(t *testing.T) {
	b, up := newBroker(t), newUpstream()
	up.put(environment("a", 1))
	js := b.connect()
	p := publish(t, js, up.observe, fleet.Options{Lease: time.Hour})
	ready(t, member(t, js, fleet.Options{}))
	p.stop(t)
	if _, err := js.Publish(t.Context(), "$KV.autoconfig.lease", []byte("of somebody else")); err != nil {
		t.Fatal(err)
	}
	if _, err := fleet.Source(js, testkit.Key, nil).First(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHeartbeat: the server is asked for the heartbeat of the options.
func TestHeartbeat(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	p := publish(t, js, newUpstream().observe, fleet.Options{})
	eventually(t, "the lease is taken", p.holding)
	p.stop(t) // the bucket stays, without consumers
	bucket, err := js.Stream(t.Context(), "KV_"+fleet.DefaultBucket)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ set, want time.Duration }{{0, fleet.DefaultHeartbeat}, {100 * time.Millisecond, 100 * time.Millisecond}} {
		messages := testkit.Watch(fleet.Source(js, testkit.Key, &fleet.Options{Heartbeat: test.set}))
		eventually(t, "one consumer", func() bool { return b.consumers(js, fleet.DefaultBucket) == 1 })
		for consumer := range bucket.ListConsumers(t.Context()).Info() {
			if got := consumer.Config.IdleHeartbeat; got != test.want {
				t.Errorf("Heartbeat %v: %v, want %v", test.set, got, test.want)
			}
		}
		messages.Stop()
	}
}

// TestCancelledAtAnyTime: a subscription that is cancelled leaves no consumer, not even if that was just being created.
func TestCancelledAtAnyTime(t *testing.T) {
	b := newBroker(t)
	js := b.connect()
	p := publish(t, js, newUpstream().observe, fleet.Options{})
	eventually(t, "the lease is taken", p.holding)
	p.stop(t)
	source := fleet.Source(js, testkit.Key, nil)
	for after := time.Duration(0); after < 2*time.Millisecond; after += 20 * time.Microsecond {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		if _, err := source.Count(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
	}
	b.noConsumers(js)
}
