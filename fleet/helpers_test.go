package fleet_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// limit is how long a test waits for anything.
const limit = time.Minute

// patience is a lease that no busy machine loses, and that expires within the limit if nobody could release it.
const patience = limit / 2

// heartbeat is that of publishers and members.
const heartbeat = 500 * time.Millisecond

// outage is less than the time without heartbeats after which a member gives up its subscription. A machine that stands
// still for that long is a reason, too.
const outage = 4 * heartbeat

// A broker is a NATS server that can be restarted.
type broker struct {
	t      *testing.T
	opts   server.Options
	server *server.Server
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{t: t, opts: server.Options{
		Host: "127.0.0.1", Port: testkit.FreePorts(t, 1)[0], JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	}}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	b.t.Helper()
	o := b.opts
	s, err := server.NewServer(&o)
	if err != nil {
		b.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(limit) {
		b.t.Fatal("the NATS server does not start")
	}
	b.server = s
}

func (b *broker) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// connect returns a JetStream context with a connection of its own.
func (b *broker) connect(o ...nats.Option) jetstream.JetStream {
	b.t.Helper()
	nc, err := nats.Connect(b.server.ClientURL(), append(o, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))...)
	if err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(ended) })
	b.t.Cleanup(func() {
		nc.Close()
		<-ended
	})
	js, err := jetstream.New(nc)
	if err != nil {
		b.t.Fatal(err)
	}
	return js
}

// consumers returns how many consumers the bucket has.
func (b *broker) consumers(js jetstream.JetStream, bucket string) int {
	b.t.Helper()
	s, err := js.Stream(b.t.Context(), "KV_"+bucket)
	if err != nil {
		b.t.Fatal(err)
	}
	return s.CachedInfo().State.Consumers
}

// noConsumers waits until the default bucket has no consumers. By itself the server would remove one after 30 s.
func (b *broker) noConsumers(js jetstream.JetStream) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); b.consumers(js, fleet.DefaultBucket) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%d consumers are left", b.consumers(js, fleet.DefaultBucket))
		}
	}
}

// lastSequence returns how many messages were ever written to the bucket.
func lastSequence(t *testing.T, js jetstream.JetStream, bucket string) uint64 {
	t.Helper()
	s, err := js.Stream(t.Context(), "KV_"+bucket)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// eventually waits until ok.
func eventually(t interface {
	Helper()
	Fatal(...any)
}, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in vain: " + what)
		}
	}
}

// An upstream is a service: a state that any number of subscribers follow.
type upstream struct {
	changes *stream.Subject[diff.Change]
	state   *diff.State

	mu          sync.Mutex
	subscribers int // at present
	subscribed  int // so far
}

func newUpstream() *upstream {
	return &upstream{changes: stream.NewSubject[diff.Change](), state: diff.NewState(nil)}
}

// apply applies messages.
func (u *upstream) apply(messages ...decode.Message) {
	for _, m := range messages {
		err := u.changes.Update(context.Background(), func(emit func(diff.Change)) {
			_ = u.state.Apply(context.Background(), &m, emit)
		})
		if err != nil {
			panic(err)
		}
	}
}

func (u *upstream) put(environments ...autoconfig.EnvironmentRep) { u.apply(put(environments...)) }

// observe is a source for a publisher.
func (u *upstream) observe(ctx context.Context, yield func(diff.Change) bool) error {
	u.count(1)
	defer u.count(-1)
	return diff.Split(u.changes.Observe(stream.Block[diff.Change](1024), u.state.Snapshot))(ctx, yield)
}

func (u *upstream) count(n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.subscribers += n
	u.subscribed += max(n, 0)
}

func (u *upstream) counts() (subscribers, subscribed int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.subscribers, u.subscribed
}

// content returns the state as the content of a server.
func (u *upstream) content() decode.PutContent {
	m := testkit.NewMirror("upstream")
	u.changes.View(func() { m.Set(diff.SnapshotOf(u.state.Snapshot())) })
	return m.Content()
}

func put(environments ...autoconfig.EnvironmentRep) decode.Message {
	l := &decode.Listing{}
	for _, e := range environments {
		l.Environments = append(l.Environments, decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: &e})
	}
	return decode.Message{Kind: decode.Put, Put: l}
}

func patch(e autoconfig.EnvironmentRep) decode.Message {
	return decode.Message{Kind: decode.Patch, Environment: decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: &e}}
}

func remove(id autoconfig.EnvironmentID, version int) decode.Message {
	return decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: id, Version: version}}
}

var environment = testkit.Environment

// A publishing is a running call of Publish.
type publishing struct {
	status *stream.Behavior[fleet.Status]
	cancel context.CancelCauseFunc
	done   chan struct{}
	err    error // set before done is closed
}

var errStop = errors.New("stop")

// publish runs Publish until the end of the test.
func publish(t *testing.T, js jetstream.JetStream, source stream.Observable[diff.Change], o fleet.Options) *publishing {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	p := &publishing{status: stream.NewBehavior(fleet.Status{}), cancel: cancel, done: make(chan struct{})}
	o.Status = p.status
	o.Logger = testkit.Censored(t)
	go func() {
		defer close(p.done)
		p.err = fleet.Publish(ctx, js, testkit.Key, source, fleet.WithHeartbeat(o, heartbeat))
	}()
	t.Cleanup(func() { p.stop(t) })
	return p
}

// stop ends the publisher and waits for it.
func (p *publishing) stop(t *testing.T) {
	t.Helper()
	p.cancel(errStop)
	p.wait(t)
}

func (p *publishing) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		t.Fatal("Publish does not return")
	}
}

func (p *publishing) holding() bool { return p.status.Get().Holding }

// member opens a client that is fed by the bucket.
func member(t *testing.T, js jetstream.JetStream, o fleet.Options) *autoconfig.Client {
	t.Helper()
	return testkit.Open(t, &autoconfig.Options{
		Source: fleet.Source(js, testkit.Key, fleet.WithHeartbeat(o, heartbeat)), InitialRetryDelay: 20 * time.Millisecond,
	})
}

func ready(t *testing.T, c *autoconfig.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := c.Ready(ctx); err != nil {
		t.Fatal(err, status(t, c))
	}
}

func status(t *testing.T, c *autoconfig.Client) autoconfig.Status {
	t.Helper()
	s, err := c.Status().First(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// versions describes the environments of a client: their IDs and versions.
func versions(s autoconfig.Snapshot) string {
	var all []string
	for _, e := range s.Environments {
		all = append(all, string(e.EnvID)+":"+strconv.Itoa(e.Version))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// has waits until the client has the environments.
func has(t *testing.T, c *autoconfig.Client, want string) {
	t.Helper()
	for deadline := time.Now().Add(limit); versions(c.Snapshot()) != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("has %s, want %s; %+v", versions(c.Snapshot()), want, status(t, c))
		}
	}
}

// short describes changes of environments: their kinds, and the environments if there are any.
func short(changes []autoconfig.Change) (lines []string) {
	for _, c := range changes {
		line := c.Kind.String()
		switch {
		case c.New != nil:
			line += " " + versions(autoconfig.Snapshot{Environments: []*autoconfig.EnvironmentRep{c.New}})
		case c.Old != nil:
			line += " " + string(c.Old.EnvID)
		}
		lines = append(lines, line)
	}
	return lines
}
