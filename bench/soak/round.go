package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
	"github.com/relaystream/autoconfig/decode"
)

// A round is one server's life.
type round struct {
	Config
	stream  *synth.Stream
	network *network
	crowd   *crowd

	server  *autoconfigtest.Server
	base    autoconfigtest.Fault
	altered atomic.Bool // something may be known that the server never said
	beat    time.Time   // when the last heartbeat was sent
	sample  Sample
}

// run takes the server over, has its faults, and waits for everybody to recover from them.
func (r *round) run(ctx context.Context, number int) (Sample, error) {
	delivered := r.crowd.client.Stats().Delivery.Delivered
	r.base = base(number)
	r.server = r.network.replace()
	r.server.Next(r.answer)
	if number == 0 {
		r.server.Put(decode.PutContent{Environments: r.stream.Environments(), Filters: r.stream.Filters()})
	}
	inviting, end := context.WithTimeout(ctx, r.Round)
	defer end()
	visits, left := context.WithCancel(context.Background())
	go func() {
		defer left()
		r.crowd.invite(inviting)
	}()
	r.load(visits)
	r.network.calm()
	// Within the round it is the client's business to notice that a connection has stalled. But the
	// manager would wait for 5 min.
	r.server.CloseConnections()
	err := r.recover(ctx)
	dialed, spoiled, log := r.network.counts()
	if err != nil {
		return Sample{}, fmt.Errorf("%w\nfaults:\n%s", err, strings.Join(log, "\n"))
	}
	s := &r.sample
	s.Connections, s.Faults = dialed, spoiled
	s.Delivered = r.crowd.client.Stats().Delivery.Delivered - delivered
	s.Visitors, s.Closing = r.crowd.seen()
	s.Rest = usage.AtRest()
	return r.sample, nil
}

// answer is an autoconfigtest.Fault that decides on one request, and plans itself again.
func (r *round) answer(next http.Handler) http.Handler {
	r.server.Next(r.answer)
	var fault autoconfigtest.Fault
	if !r.network.calmed() {
		r.network.fault(func(rng *rand.Rand) string {
			drawn, name, alters := answer(rng)
			fault = drawn
			if alters {
				r.altered.Store(true)
			}
			return name
		})
	}
	return autoconfigtest.Chain(fault, r.base)(next)
}

// load has the server say as much as it gets rid of, and do what it should not, until ctx ends.
func (r *round) load(ctx context.Context) {
	const batch = 250
	for ctx.Err() == nil {
		r.stream.Play(batch, r.server)
		r.sample.Messages += batch
		r.network.fault(func(rng *rand.Rand) string {
			if rng.IntN(100) > 0 {
				return ""
			}
			return "server: " + act(r.server, rng)
		})
		r.heartbeat()
		r.look()
		// A connection that has stalled holds the server up, but not for long.
		drained, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		_ = r.server.AwaitDrained(drained)
		cancel()
	}
}

// heartbeat sends one if it is time.
func (r *round) heartbeat() {
	if time.Since(r.beat) > timeout/4 {
		r.server.Heartbeat()
		r.beat = time.Now()
	}
}

// look notes how far subscribers lag behind.
func (r *round) look() {
	for _, s := range r.crowd.client.Stats().Subscribers {
		if s.Policy == "Coalesce" {
			r.sample.Lag = max(r.sample.Lag, s.Lag)
		}
	}
}

// recover returns when everybody knows what the server serves.
func (r *round) recover(ctx context.Context) error {
	const limit = 30 * time.Second
	start := time.Now()
	healed := time.Time{}
	for {
		select {
		case err := <-r.crowd.failed:
			return err
		default:
		}
		if problem := r.crowd.fault(); problem != "" {
			return fmt.Errorf("%w: %s", ErrDiverged, problem)
		}
		d := r.crowd.differs(serving(r.server.Content()))
		switch {
		case d == "":
			r.sample.Recovery = time.Since(start)
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Since(start) > limit:
			return fmt.Errorf("%w after %v: %s", ErrDiverged, limit, d)
		}
		if r.altered.Load() && time.Since(healed) > time.Second {
			r.heal()
			healed = time.Now()
		}
		r.heartbeat()
		pause(ctx, 20*time.Millisecond)
	}
}

// heal makes everybody who is connected forget what the server never said: a version that is too high
// makes them ignore the true one, until a put does not list the item.
func (r *round) heal() {
	content := r.server.Content()
	r.server.Put(decode.PutContent{})
	r.server.Put(content)
}
