package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/bench/feed"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
	"github.com/relaystream/autoconfig/decode"
	natsfleet "github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/stream"
)

// A natsWorld is a service and members in this process, and a NATS server and a publisher in another. The service has
// said that there is one environment, the mark.
type natsWorld struct {
	environments, together int

	stream  *synth.Stream
	mark    decode.EnvironmentID
	service *feed.Server
	conn    *feed.Conn // of the publisher
	server  *natsSide
	members []*natsMember
	seen    chan time.Time // when a member has read the mark, or everything
}

// A natsMember is a client with a connection to NATS of its own, and one subscriber.
type natsMember struct {
	nc        *nats.Conn
	client    *autoconfig.Client
	following sync.WaitGroup
}

// patience is how long a step may take.
const patience = 5 * time.Minute

// inNATSWorld calls f with a new world.
func inNATSWorld(ctx context.Context, environments, together int, f func(*natsWorld) error) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 4*patience, errors.New("bench: the fleet is too slow"))
	defer cancel()
	cfg := synth.Default()
	cfg.Environments, cfg.PutSize = environments, 1
	w := &natsWorld{environments: environments, together: together, stream: synth.New(cfg), seen: make(chan time.Time, 1)}
	w.mark = w.stream.MarkID()
	if w.service, err = feed.Listen(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.service.Close()) }()
	if w.server, err = startNATSSide(ctx, w.service.URL); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.server.end()) }()
	defer w.leave()
	if w.conn, err = w.service.Accept(ctx); err != nil {
		return err
	}
	defer func() { _ = w.conn.Close() }()
	if err := w.say(1, func(yield func([]byte) bool) { yield(w.stream.Put()) }); err != nil {
		return err
	}
	return f(w)
}

func (w *natsWorld) connect() (*nats.Conn, jetstream.JetStream, error) {
	return connectNATS(w.server.url)
}

// say makes the service send events, flush of them in each write.
func (w *natsWorld) say(flush int, blocks iter.Seq[[]byte]) error {
	segment, err := feed.Render(flush, blocks)
	if err != nil {
		return err
	}
	defer segment.Free()
	return w.conn.Send(segment)
}

// fill makes the service say that there are all environments, and returns when a member has them, and when that was
// said.
func (w *natsWorld) fill(ctx context.Context) (said time.Time, err error) {
	for range w.stream.Rest() {
		continue // they are in the put
	}
	segment, err := feed.Render(1, func(yield func([]byte) bool) { yield(w.stream.Put()) })
	if err != nil {
		return said, err
	}
	defer segment.Free()
	said = time.Now()
	if err := w.conn.Send(segment); err != nil {
		return said, err
	}
	if len(w.members) > 0 {
		return said, nil
	}
	if err := w.join(ctx, 1); err != nil {
		return said, err
	}
	_, err = w.await(ctx, 1, nil)
	w.leave()
	return said, err
}

// join adds members and waits until they have a configuration.
func (w *natsWorld) join(ctx context.Context, n int) error {
	w.seen = make(chan time.Time, 2*n) // room for all that they say without being awaited
	members := make([]*natsMember, n)
	err := allOf(n, w.together, func(i int) error {
		nc, js, err := w.connect()
		if err != nil {
			return err
		}
		client, err := autoconfig.Open(ctx, fleetKey, &autoconfig.Options{
			Source: natsfleet.Source(js, fleetKey, nil), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			nc.Close()
			return err
		}
		members[i] = &natsMember{nc: nc, client: client}
		members[i].following.Go(func() { w.follow(ctx, client) })
		return client.Ready(ctx)
	})
	w.members = slices.DeleteFunc(members, func(m *natsMember) bool { return m == nil })
	return err
}

// follow tells when the client has everything, and then of each update of the mark.
func (w *natsWorld) follow(ctx context.Context, client *autoconfig.Client) {
	known := 0
	_ = client.ChangesUnder(stream.Block[autoconfig.Change](64)).ForEach(ctx, func(c autoconfig.Change) error {
		switch {
		case c.Kind == autoconfig.EnvironmentAdded:
			known++
		case c.Kind == autoconfig.Synced && known == w.environments:
			known++ // once
			w.seen <- time.Now()
		case c.Kind == autoconfig.EnvironmentUpdated && c.New.EnvID == w.mark:
			w.seen <- time.Now()
		}
		return nil
	})
}

// await waits until n members have seen what they wait for. It passes the time of each to each, if that is not nil, and
// returns the last.
func (w *natsWorld) await(ctx context.Context, n int, each func(time.Time)) (last time.Time, err error) {
	for i := range n {
		select {
		case at := <-w.seen:
			if each != nil {
				each(at)
			}
			if at.After(last) {
				last = at
			}
		case <-time.After(patience):
			return last, fmt.Errorf("%d of %d members have not seen it", n-i, n)
		case <-ctx.Done():
			return last, context.Cause(ctx)
		}
	}
	return last, nil
}

// leave closes all members.
func (w *natsWorld) leave() {
	_ = allOf(len(w.members), w.together, func(i int) error {
		w.members[i].client.Close()
		w.members[i].following.Wait()
		w.members[i].nc.Close()
		return nil
	})
	w.members = nil
}

// measure measures everything of a case but the initial load.
func (w *natsWorld) measure(ctx context.Context, c *natsCase, patches int, idle time.Duration) (err error) {
	if c.Before, c.ServerBefore, err = w.usage(); err != nil {
		return err
	}
	if err := w.bare(c); err != nil {
		return err
	}
	if err := w.join(ctx, c.Members); err != nil {
		return err
	}
	if err := w.put(ctx, c); err != nil {
		return err
	}
	if err := w.tell(ctx, c); err != nil {
		return err
	}
	if err := w.idle(ctx, c, idle); err != nil {
		return err
	}
	if err := w.hurry(ctx, c, max(1000, patches/c.Members)); err != nil {
		return err
	}
	w.leave()
	c.Left, c.ServerLeft, err = w.usage()
	return err
}

// usage returns what both processes use.
func (w *natsWorld) usage() (members, server usage.Usage, err error) {
	server, err = w.server.usage()
	return usage.AtRest(), server, err
}

// put sends a put with all environments new.
func (w *natsWorld) put(ctx context.Context, c *natsCase) error {
	members, server, err := w.usage()
	if err != nil {
		return err
	}
	said, err := w.fill(ctx)
	if err != nil {
		return err
	}
	last, err := w.await(ctx, c.Members, nil)
	if err != nil {
		return err
	}
	c.Synced = last.Sub(said)
	if c.Entry, err = w.entry(ctx); err != nil {
		return err
	}
	membersAfter, serverAfter, err := w.usage()
	c.PutMembers, c.PutServer = membersAfter.Processor-members.Processor, serverAfter.Processor-server.Processor
	return err
}

// entry returns the mean size of an entry.
func (w *natsWorld) entry(ctx context.Context) (uint64, error) {
	nc, js, err := w.connect()
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	bucket, err := js.Stream(ctx, "KV_"+natsfleet.DefaultBucket)
	if err != nil {
		return 0, err
	}
	state := bucket.CachedInfo().State
	return state.Bytes / state.Msgs, nil
}

// idle does nothing for a while.
func (w *natsWorld) idle(ctx context.Context, c *natsCase, d time.Duration) (err error) {
	if c.Settled, c.ServerSettled, err = w.usage(); err != nil {
		return err
	}
	start := time.Now()
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	members, server, err := w.usage()
	elapsed := time.Since(start).Seconds()
	c.IdleMembers = (members.Processor - c.Settled.Processor).Seconds() / elapsed
	c.IdleServer = (server.Processor - c.ServerSettled.Processor).Seconds() / elapsed
	return err
}

// bare measures connections to NATS without members.
func (w *natsWorld) bare(c *natsCase) error {
	conns := make([]*nats.Conn, c.Members)
	err := allOf(c.Members, w.together, func(i int) (err error) {
		conns[i], _, err = w.connect()
		return err
	})
	c.Bare = usage.AtRest()
	for _, nc := range conns {
		if nc != nil {
			nc.Close()
		}
	}
	return err
}

// tell sends patches, one at a time. The first tenth is not measured.
func (w *natsWorld) tell(ctx context.Context, c *natsCase) error {
	const patches = 200
	var took []float64
	for i := range patches {
		said := time.Now()
		if err := w.say(1, func(yield func([]byte) bool) { yield(w.stream.Mark()) }); err != nil {
			return err
		}
		_, err := w.await(ctx, c.Members, func(at time.Time) {
			if i >= patches/10 {
				took = append(took, float64(at.Sub(said)))
			}
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(took)
	c.Told50, c.Told99, c.Told = time.Duration(quantile(took, 0.5)), time.Duration(quantile(took, 0.99)), time.Duration(took[len(took)-1])
	return nil
}

// hurry sends patches at full speed.
func (w *natsWorld) hurry(ctx context.Context, c *natsCase, patches int) error {
	segment, err := feed.Render(100, func(yield func([]byte) bool) {
		for block := range w.stream.Blocks(patches) {
			if !yield(block) {
				return
			}
		}
		yield(w.stream.Mark())
	})
	if err != nil {
		return err
	}
	defer segment.Free()
	before := w.read()
	start := time.Now()
	if err := w.conn.Send(segment); err != nil {
		return err
	}
	last, err := w.await(ctx, c.Members, nil)
	if err != nil {
		return err
	}
	seconds := last.Sub(start).Seconds()
	c.Rate = float64(segment.Events) / seconds
	c.Read = float64(w.read()-before) / float64(c.Members) / seconds
	return nil
}

// read returns how many patches the members have read.
func (w *natsWorld) read() (n uint64) {
	for _, m := range w.members {
		n += m.client.Stats().State.Patches
	}
	return n
}
