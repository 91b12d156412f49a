package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// backlog is how many changes may wait while the bucket is written.
const backlog = 1024

// A term is the time during which a publisher holds the lease. Its state is the configuration as the bucket has it,
// which outlives publishers: it lives through what the source says as one subscriber would that has been there from
// the beginning.
type term struct {
	*publisher
	lease  *lease
	codec  *codec
	state  *diff.State
	number uint64 // of the configuration that the next synced entry completes

	completes bool                    // a synced entry waits
	lives     map[diff.Subject]uint64 // of each item in the bucket
	census    census                  // of these items
	first     *decode.Listing         // what the source has said before its first Synced; nil after that
	kept      map[diff.Subject]bool   // items that the source has not mentioned, but may have seen listed
	writer    writer
	failed    error // of encoding
}

func newTerm(p *publisher, l *lease) *term {
	return &term{
		publisher: p, lease: l, codec: l.codec, state: diff.NewState(nil), lives: make(map[diff.Subject]uint64),
		first: new(decode.Listing), writer: writer{lease: l},
	}
}

// run publishes what the source says.
func (t *term) run(ctx context.Context) error {
	if err := t.read(ctx); err != nil {
		return err
	}
	changes, stop := t.source.Chan(ctx, backlog)
	defer func() { _ = stop() }()
	renewal := time.NewTimer(t.lease.due())
	defer renewal.Stop()
	for {
		select {
		case c, ok := <-changes:
			if !ok {
				return &ended{stop()}
			}
			t.take(ctx, &c)
			t.takeWaiting(ctx, changes)
			if err := t.flush(ctx); err != nil {
				return err
			}
		case <-renewal.C:
			if err := t.lease.renew(ctx); err != nil {
				return err
			}
			renewal.Reset(t.lease.due())
			t.tell(ctx)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read begins the state with what the bucket has.
func (t *term) read(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, t.lease.expires(), errLost)
	defer cancel()
	bucket, empty := newContent(), true
	var damaged []string
	var failed error
	err := t.bucket.follow(ctx, ">", t.Heartbeat, func(a arrival) bool {
		if a.name != leaseName && len(a.data) > 0 {
			e, err := t.codec.open(ctx, a.name, a.data)
			switch {
			case errors.Is(err, errEntry):
				damaged = append(damaged, a.name)
			case err != nil:
				failed = err
				return false
			}
			bucket.add(a.name, &e, a.sequence)
			t.number, empty = max(t.number, e.life), false
		}
		// Nobody else can write: what comes later is the expiry of a tombstone.
		return a.sequence < t.lease.sequence
	})
	switch {
	case failed != nil:
		return failed
	case err != nil:
		return err
	}
	if !empty {
		t.number++
	}
	t.census, t.writer.listed = bucket.census, bucket.listed
	for _, name := range damaged {
		t.Logger.WarnContext(ctx, "fleet publisher: a damaged entry", "bucket", t.Bucket, "name", name)
		t.collect(name, nil, nil, t.TombstoneTTL, true)
	}
	return t.begin(ctx, bucket)
}

// begin applies the content of the bucket to the state, which is new.
func (t *term) begin(ctx context.Context, bucket *content) error {
	nothing := func(diff.Change) {}
	if err := t.state.Apply(ctx, &decode.Message{Kind: decode.Put, Put: bucket.listing()}, nothing); err != nil {
		return err
	}
	for _, k := range bucket.byName {
		if k.operation == item {
			t.lives[diff.Subject{Environment: k.message.Environment.ID, Filter: k.message.Filter.ID}] = k.life
		} else if err := t.state.Apply(ctx, &k.message, nothing); err != nil {
			return err
		}
	}
	return nil
}

// takeWaiting takes the changes that wait, as far as one batch has room for them.
func (t *term) takeWaiting(ctx context.Context, changes <-chan diff.Change) {
	for t.writer.room() {
		select {
		case c, ok := <-changes:
			if !ok {
				return // which run will see
			}
			t.take(ctx, &c)
		default:
			return
		}
	}
}

// take applies a change of the source to the state, and collects what that means for the bucket.
func (t *term) take(ctx context.Context, c *diff.Change) {
	for _, m := range t.messages(c) {
		if err := t.state.Apply(ctx, &m, func(c diff.Change) { t.write(ctx, &c) }); err != nil && t.failed == nil {
			t.failed = err
		}
	}
}

// write collects the entry that a change of the state makes.
func (t *term) write(ctx context.Context, c *diff.Change) {
	switch c.Kind {
	case diff.KeyExpired: // members have a clock of their own
	case diff.Synced:
		data, err := t.codec.seal(syncedName, synced, t.number)
		t.collect(syncedName, data, err, 0, false)
		t.number, t.completes = t.number+1, true
	default:
		t.writeItem(ctx, c)
	}
}

func (t *term) writeItem(ctx context.Context, c *diff.Change) {
	subject := c.Subject()
	name := t.codec.name(subject)
	life, present := t.lives[subject]
	if !present {
		life = t.number
	}
	data, err := t.codec.change(ctx, name, life, c)
	switch gone := c.New == nil && c.NewFilter == nil; {
	case err == nil && len(data) > t.writer.limit():
		t.status.Skipped++
		t.Logger.ErrorContext(ctx, "fleet publisher: an item is larger than NATS takes", "bucket", t.Bucket, "bytes", len(data))
	case gone && present:
		if life == t.number { // the item may come back, at an older version, before the configuration is complete
			t.number++
		}
		delete(t.lives, subject)
		t.census.leave(name)
		t.collect(name, data, err, t.TombstoneTTL, c.Omitted)
	case !gone:
		if !present {
			t.lives[subject] = life
			t.census.enter(name)
		}
		t.collect(name, data, err, 0, false)
	}
}

// collect adds an entry to what is to be written.
func (t *term) collect(name string, data []byte, err error, ttl time.Duration, marker bool) {
	if err == nil {
		t.writer.add(name, data, ttl, marker, t.census)
	} else if t.failed == nil {
		t.failed = err
	}
}

// flush writes what was collected.
func (t *term) flush(ctx context.Context) error {
	if t.failed != nil {
		return t.failed
	}
	written, err := t.writer.flush(ctx)
	t.status.Written += uint64(written)
	switch {
	case errors.Is(err, errLost):
		t.status.Refused += uint64(len(t.writer.waiting))
	case err == nil && t.completes:
		t.completes, t.status.Err = false, nil
	}
	t.tell(ctx)
	return err
}
