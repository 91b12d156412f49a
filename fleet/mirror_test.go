package fleet_test

import (
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestMirror: members at a leaf node read a mirror of the bucket. They see what the publisher writes at the hub, and
// start while the hub is away.
func TestMirror(t *testing.T) {
	port := testkit.FreePorts(t, 1)[0]
	hub := domain(t, "hub", func(o *server.LeafNodeOpts) { o.Host, o.Port = "127.0.0.1", port })
	leaf := domain(t, "leaf", func(o *server.LeafNodeOpts) {
		o.ReconnectInterval = 50 * time.Millisecond
		o.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{{Scheme: "nats", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}}}}
	})
	up := newUpstream()
	up.put(environment("a", 1), environment("b", 1))
	p := publish(t, hub.connect(), up.observe, fleet.Options{Lease: time.Hour})
	ready(t, member(t, hub.connect(), fleet.Options{}))
	// The configuration of OPERATIONS.md.
	js := leaf.connect()
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "KV_" + fleet.DefaultBucket, Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew,
		AllowMsgTTL: true, AllowDirect: true, Mirror: &jetstream.StreamSource{Name: "KV_" + fleet.DefaultBucket, Domain: "hub"},
	})
	if err != nil {
		t.Fatal(err)
	}
	early := member(t, leaf.connect(), fleet.Options{})
	ready(t, early)
	has(t, early, "a:1 b:1")
	up.apply(patch(environment("a", 2)), remove("b", 2), patch(environment("c", 1)))
	has(t, early, "a:2 c:1")
	up.put(environment("c", 1))
	has(t, early, "c:1")
	eventually(t, "all is written", func() bool { return p.status.Get().Written == 8 })
	last := lastSequence(t, hub.connect(), fleet.DefaultBucket)
	eventually(t, "the mirror has all, too", func() bool { return lastSequence(t, js, fleet.DefaultBucket) == last })
	hub.stop()
	late := member(t, leaf.connect(), fleet.Options{})
	ready(t, late)
	has(t, late, "c:1")
	has(t, early, "c:1")
}

// domain starts a NATS server with a JetStream domain of its own.
func domain(t *testing.T, name string, leaf func(*server.LeafNodeOpts)) *broker {
	t.Helper()
	b := &broker{t: t, opts: server.Options{
		ServerName: name, Host: "127.0.0.1", Port: -1, JetStream: true, JetStreamDomain: name, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	}}
	leaf(&b.opts.LeafNode)
	b.start()
	t.Cleanup(b.stop)
	return b
}
