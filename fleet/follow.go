package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig/stream/sse"
)

const (
	// silence is after how many heartbeats that did not come a consumer is replaced.
	silence = 2.5
	// outage is for how many heartbeats the server may be out of reach until follow gives up.
	outage = 5
	// abandoned is after how long the server removes a consumer that nobody listens to.
	abandoned = 30 * time.Second
	// callTimeout limits a call of the server.
	callTimeout = 5 * time.Second
	// farewell limits what is done for others when the context has ended.
	farewell = 2 * time.Second
)

// ErrReplaced reports that the bucket was deleted and created again, or restored from an older copy, while it was
// followed.
var ErrReplaced = errors.New("the bucket was replaced")

// errSilent reports a consumer that has not been heard of for 2.5 heartbeats.
var errSilent = errors.New("fleet: no heartbeat from the server")

// Why a consumer is replaced at once.
var (
	errGap         = errors.New("fleet: a message of the bucket was lost on its way")
	errReconnected = errors.New("fleet: reconnected to the server")
)

// An arrival is a message of the bucket, or the news that there is none.
type arrival struct {
	name     string // of the entry; empty if there is no message, because nothing has been written for a while
	data     []byte // empty of a marker that the server has made, or somebody who does not know the secret
	sequence uint64 // in the stream
	// caughtUp is true if all that was in the bucket when following began has arrived, or was replaced: what has
	// replaced it may not have arrived yet.
	caughtUp bool
	created  time.Time // when the bucket was created
}

// follow yields the messages with the name, which may be a wildcard, in the order of the stream: first the last one of
// each name, then new ones as they come. Messages that a newer one of the same name has replaced may be missing.
//
// A consumer that is lost, or has gone silent, is replaced by one that goes on where it was. If that does not succeed
// within 5 heartbeats, follow returns the error. It waits as long for a bucket that does not exist. Any other error
// before the first consumer is returned at once.
func (b *bucket) follow(ctx context.Context, name string, heartbeat time.Duration, yield func(arrival) bool) error {
	f := &follower{bucket: b, filter: b.subject + name, heartbeat: heartbeat, yield: yield, next: 1, lastHeard: time.Now()}
	f.retry = sse.Backoff{Initial: heartbeat / 20, Max: heartbeat}
	for {
		err := f.consume(ctx)
		switch {
		case f.stopped:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrReplaced), time.Since(f.lastHeard) > outage*f.heartbeat:
			return err
		case !f.followed && !errors.Is(err, jetstream.ErrStreamNotFound): // a publisher may be about to create it
			return err
		}
		if err := sleep(ctx, f.retry.Next(err)); err != nil {
			return err
		}
	}
}

// A follower is a subscription of follow.
type follower struct {
	*bucket
	filter    string
	heartbeat time.Duration
	yield     func(arrival) bool

	retry     sse.Backoff
	created   time.Time // when the stream was created
	next      uint64    // the least sequence that has not arrived
	target    uint64    // the last sequence when following began
	caughtUp  bool
	followed  bool      // there has been a consumer
	lastHeard time.Time // when the server has been heard of last, or following began
	stopped   bool      // yield has returned false
}

func (f *follower) patience() time.Duration { return time.Duration(silence * float64(f.heartbeat)) }

// consume follows with one consumer until that is lost.
func (f *follower) consume(ctx context.Context) (err error) {
	nc := f.js.Conn()
	status := nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer nc.RemoveStatusListener(status)
	inbox, messages, done := nc.NewInbox(), make(chan *nats.Msg), make(chan struct{})
	ended := make(chan struct{})
	subscription, err := nc.Subscribe(inbox, func(m *nats.Msg) {
		select {
		case messages <- m:
		case <-done:
		}
	})
	if err != nil {
		return err
	}
	subscription.SetClosedHandler(func(string) { close(ended) })
	defer func() {
		close(done)
		if subscription.Unsubscribe() == nil {
			<-ended
		}
	}()
	consumer, err := f.create(ctx, inbox)
	if err != nil {
		return err
	}
	defer f.remove(ctx, consumer.Name)
	f.followed, f.lastHeard = true, time.Now()
	f.retry.Opened()
	if consumer.NumPending == 0 && !f.idle() {
		return nil
	}
	return f.receive(ctx, messages, status, consumer.NumPending)
}

// create creates a consumer that delivers to the inbox.
func (f *follower) create(ctx context.Context, inbox string) (*jetstream.ConsumerInfo, error) {
	if err := f.same(ctx); err != nil {
		return nil, fmt.Errorf("fleet: bucket %s: %w", f.name, err)
	}
	ctx, cancel := f.linger(ctx)
	defer cancel()
	consumer, err := f.js.CreatePushConsumer(ctx, f.stream, jetstream.ConsumerConfig{
		Description:       "auto-configuration",
		DeliverSubject:    inbox,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       f.next,
		FilterSubject:     f.filter,
		AckPolicy:         jetstream.AckNonePolicy,
		MaxDeliver:        1,
		FlowControl:       true,
		IdleHeartbeat:     f.heartbeat,
		InactiveThreshold: abandoned,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return nil, fmt.Errorf("fleet: bucket %s: %w", f.name, err)
	}
	return consumer.CachedInfo(), nil
}

// linger returns a context for the creation of a consumer. It outlives ctx by what a farewell may take: a consumer of
// which nobody has heard could not be removed. A removal under a chosen name could overtake the creation.
func (f *follower) linger(ctx context.Context) (context.Context, context.CancelFunc) {
	lingering, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		if f.js.Conn().IsConnected() {
			_ = sleep(lingering, farewell)
		}
		cancel()
	})
	return lingering, func() {
		cancel()
		if !stop() {
			<-done
		}
	}
}

// same returns an error unless the bucket is the one that was followed before.
func (f *follower) same(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s, err := f.js.Stream(ctx, f.stream)
	if err != nil {
		return err
	}
	info := s.CachedInfo()
	if !f.created.IsZero() && !info.Created.Equal(f.created) || info.State.LastSeq+1 < f.next {
		return ErrReplaced
	}
	if f.created.IsZero() {
		f.created, f.target = info.Created, info.State.LastSeq
	}
	return nil
}

// remove removes a consumer, so that the server need not notice that it is abandoned.
func (f *follower) remove(ctx context.Context, consumer string) {
	if !f.js.Conn().IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	_ = f.js.DeleteConsumer(ctx, f.stream, consumer)
}

// receive passes on the messages of a consumer, of which pending were there when it was created.
func (f *follower) receive(ctx context.Context, messages <-chan *nats.Msg, status <-chan nats.Status, pending uint64) error {
	silent := time.NewTimer(f.patience())
	defer silent.Stop()
	for delivered := uint64(0); ; {
		select {
		case m := <-messages:
			f.lastHeard = time.Now()
			if err := f.message(m, &delivered, pending); err != nil || f.stopped {
				return err
			}
			silent.Reset(f.patience())
		case <-silent.C:
			return errSilent
		case s := <-status:
			if s != nats.CONNECTED {
				return nats.ErrConnectionClosed
			}
			return errReconnected
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// message handles a message that the server has sent: one of the stream, or one about the consumer. delivered is how
// many of the stream the consumer has sent so far.
func (f *follower) message(m *nats.Msg, delivered *uint64, pending uint64) error {
	if len(m.Data) == 0 && m.Header.Get("Status") != "" {
		return f.control(m, *delivered)
	}
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("fleet: bucket %s: %w", f.name, err)
	}
	if *delivered++; meta.Sequence.Consumer != *delivered {
		return errGap
	}
	// What the message says is pending does not count: messages that have just replaced others are missing there.
	f.next = meta.Sequence.Stream + 1
	f.caughtUp = f.caughtUp || f.next > f.target || *delivered >= pending
	f.pass(arrival{strings.TrimPrefix(m.Subject, f.subject), m.Data, meta.Sequence.Stream, f.caughtUp, f.created})
	return nil
}

// control handles a heartbeat, or a request to say that the messages so far have been received.
func (f *follower) control(m *nats.Msg, delivered uint64) error {
	if m.Reply != "" {
		return m.Respond(nil)
	}
	if stalled := m.Header.Get("Nats-Consumer-Stalled"); stalled != "" {
		if err := f.js.Conn().Publish(stalled, nil); err != nil {
			return err
		}
	}
	if last, err := strconv.ParseUint(m.Header.Get("Nats-Last-Consumer"), 10, 64); err == nil && last != delivered {
		return errGap
	}
	f.idle()
	return nil
}

// idle passes on that nothing is pending.
func (f *follower) idle() bool {
	f.caughtUp = true
	return f.pass(arrival{caughtUp: true, created: f.created})
}

func (f *follower) pass(a arrival) bool {
	f.stopped = !f.yield(a)
	return !f.stopped
}

// sleep waits for d. It returns the cause of ctx if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// jitter returns a duration between d and a half more.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/2+1) }
