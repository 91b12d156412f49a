package fleet

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// The delays after a failure, which a half is taken off from at random.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Publish keeps the bucket equal to the configuration that source describes, while it holds the lease, and stands by
// while another publisher does. It subscribes to source when it has taken the lease, and ends the subscription when it
// loses it. It creates the bucket if there is none.
//
// Publish returns the cause of ctx when that ends, having given up the lease. It tries again after failures, except
// these: what source returns when it ends (nil if it completes), a *BucketError, ErrKey, a *autoconfig.OptionError,
// and nats.ErrConnectionClosed if js is of a connection that was closed. Publish panics if js or source is nil.
func Publish(
	ctx context.Context, js jetstream.JetStream, key autoconfig.AutoConfigKey, source stream.Observable[autoconfig.Change], o *Options,
) error {
	if js == nil || source == nil {
		panic("fleet: Publish: js or source is nil")
	}
	s, err := o.resolve(key)
	if err != nil {
		return err
	}
	p := &publisher{settings: s, bucket: newBucket(js, s.Bucket), source: source, status: Status{Since: time.Now()}}
	p.tell(ctx)
	retry := sse.Backoff{Initial: firstRetry, Max: lastRetry}
	for {
		err := p.turn(ctx, &retry)
		end := (*ended)(nil)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &end):
			return end.err
		case p.final(err):
			return err
		}
		if err := sleep(ctx, retry.Next(err)); err != nil {
			return err
		}
	}
}

// final reports whether no retry mends an error.
func (p *publisher) final(err error) bool {
	// A call that waits when the connection is lost fails as if it were closed, though the client connects again.
	closed := errors.Is(err, nats.ErrConnectionClosed) && p.bucket.js.Conn().IsClosed()
	return closed || errors.As(err, new(*BucketError)) || errors.Is(err, ErrKey)
}

// ended reports that the source has ended.
type ended struct{ err error }

func (e *ended) Error() string { return "fleet: the source has ended" }

// A publisher is a call of Publish.
type publisher struct {
	*settings
	bucket bucket
	source stream.Observable[autoconfig.Change]
	status Status
}

// turn waits for the lease, and publishes until it is lost, or something else fails.
func (p *publisher) turn(ctx context.Context, retry *sse.Backoff) (err error) {
	defer func() { p.interrupted(ctx, err) }()
	if err := p.bucket.open(ctx, p.Replicas); err != nil {
		return err
	}
	c, err := newCodec(p.Bucket, p.secret())
	if err != nil {
		return err
	}
	l := newLease(&p.bucket, c, p.Lease)
	if err := p.standBy(ctx, l); err != nil {
		return err
	}
	defer l.release(ctx)
	retry.Opened()
	p.hold(ctx, true)
	return newTerm(p, l).run(ctx)
}

// standBy waits for the lease and takes it.
func (p *publisher) standBy(ctx context.Context, l *lease) error {
	for {
		if ok, err := l.acquire(ctx); ok || err != nil {
			return err
		}
		// Should the news of the lease's end not come, look again.
		limit, cancel := context.WithTimeout(ctx, jitter(2*p.Lease))
		err := p.bucket.follow(limit, leaseName, p.Heartbeat, func(a arrival) bool { return a.name == "" || len(a.data) > 0 })
		expired := limit.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !expired:
			return err
		}
	}
}

// hold notes whether the lease is held.
func (p *publisher) hold(ctx context.Context, holding bool) {
	if p.status.Holding != holding {
		p.status.Holding, p.status.Since = holding, time.Now()
		p.Logger.InfoContext(ctx, "fleet publisher", "bucket", p.Bucket, "holding", holding)
	}
	p.tell(ctx)
}

// interrupted notes why a turn has ended.
func (p *publisher) interrupted(ctx context.Context, err error) {
	level := slog.LevelWarn
	end := (*ended)(nil)
	if errors.As(err, &end) {
		err = end.err
	}
	if end != nil || p.final(err) {
		level = slog.LevelError
	}
	if ctx.Err() == nil && err != nil {
		p.status.Err = err
		p.Logger.Log(ctx, level, "fleet publisher interrupted", "bucket", p.Bucket, "error", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell) // the last status is set in any case
	defer cancel()
	p.hold(ctx, false)
}

// tell sets the status.
func (p *publisher) tell(ctx context.Context) {
	if p.Status != nil {
		_ = p.Status.Set(ctx, p.status)
	}
}
