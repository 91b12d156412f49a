package soak

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
	"github.com/relaystream/autoconfig/decode"
)

// A round is the time between two samples.
type round struct {
	Config
	stream *synth.Stream
	crowd  *crowd
	storm  bool

	beat   time.Time // of the last heartbeat
	sample Sample
}

// run runs the round with its faults, and waits until everybody has recovered from them.
func (r *round) run(ctx context.Context) (Sample, error) {
	delivered := r.crowd.client.Stats().Delivery.Delivered
	home, away := r.crowd.home, r.crowd.away
	away.replace()
	if r.storm {
		home.replace()
	}
	inviting, end := context.WithTimeout(ctx, r.Round)
	defer end()
	visits, left := context.WithCancel(context.Background())
	go func() {
		defer left()
		r.crowd.invite(inviting)
	}()
	r.load(visits)
	away.calm()
	if r.storm {
		home.calm()
		// The client would notice a stalled connection by itself, but the manager only after 5 min.
		home.server.CloseConnections()
	}
	if err := r.recover(ctx); err != nil {
		dialed, _ := home.counts()
		return Sample{}, fmt.Errorf("%w\nin this round: a storm %t, %d connections of residents\nfaults of the last storm:\n%s",
			err, r.storm, dialed, strings.Join(home.log, "\n"))
	}
	r.settle()
	r.count(home)
	r.count(away)
	s := &r.sample
	s.Storm = r.storm
	s.Delivered = r.crowd.client.Stats().Delivery.Delivered - delivered
	s.Visitors, s.Closing = r.crowd.seen()
	s.Rest = usage.AtRest()
	return r.sample, nil
}

// settle sends a few messages, one at a time, which lets the residents shrink their buffers. Otherwise the
// usage would mostly be what the last burst happened to leave.
func (r *round) settle() {
	const messages, pace = 20, 5 * time.Millisecond
	for range messages {
		r.stream.Play(1, servers{r.crowd.home.server})
		pause(context.Background(), pace)
	}
}

func (r *round) count(n *network) {
	dialed, faults := n.counts()
	r.sample.Connections += dialed
	r.sample.Faults += faults
}

// servers receive the same messages.
type servers []*autoconfigtest.Server

func (all servers) Patch(e decode.EnvironmentRep) {
	for _, s := range all {
		s.Patch(e)
	}
}

func (all servers) Delete(id decode.EnvironmentID, version int) {
	for _, s := range all {
		s.Delete(id, version)
	}
}

func (all servers) PatchFilter(id decode.FilterID, f decode.FilterRep) {
	for _, s := range all {
		s.PatchFilter(id, f)
	}
}

// load makes the servers send as fast as the network allows, and misbehave, until ctx ends.
func (r *round) load(ctx context.Context) {
	const batch = 250
	home, away := r.crowd.home, r.crowd.away
	both := servers{home.server, away.server}
	for ctx.Err() == nil {
		r.stream.Play(batch, both)
		r.sample.Messages += batch
		home.act()
		away.act()
		r.heartbeat()
		r.look()
		// A stalled connection delays a server, but not for long.
		drained, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		for _, s := range both {
			_ = s.AwaitDrained(drained)
		}
		cancel()
	}
}

// heartbeat sends a heartbeat to the residents if it is time.
func (r *round) heartbeat() {
	if time.Since(r.beat) > timeout/4 {
		r.crowd.home.server.Heartbeat()
		r.beat = time.Now()
	}
}

// look records the lag of the subscribers.
func (r *round) look() {
	for _, s := range r.crowd.client.Stats().Subscribers {
		if s.Policy == "Coalesce" {
			r.sample.Lag = max(r.sample.Lag, s.Lag)
		}
	}
}

// recover waits until everybody has what the server serves.
func (r *round) recover(ctx context.Context) error {
	const limit = time.Minute
	start := time.Now()
	healed := time.Time{}
	for {
		if err := r.crowd.wrong(); err != nil {
			return err
		}
		d := r.crowd.differs(serving(r.crowd.home.server.Content()))
		switch {
		case d == "":
			r.crowd.home.healed()
			r.sample.Recovery = time.Since(start)
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Since(start) > limit:
			return fmt.Errorf("%w after %v: %s", ErrDiverged, limit, d)
		}
		if time.Since(healed) > time.Second {
			r.crowd.home.heal()
			healed = time.Now()
		}
		r.heartbeat()
		pause(ctx, 20*time.Millisecond)
	}
}
