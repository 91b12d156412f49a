package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// ErrClosed is what waiting for a client returns when Close ended it.
var ErrClosed = errors.New("autoconfig: client closed")

// Observe returns the changes of the configuration as a cold observable: each subscription has a
// connection and a state of its own, reconnects by itself, and ends when its context ends, yield
// stops it, or the connection failed for good. Nothing is dropped or merged: a subscriber that takes
// its time holds up its own connection, when DefaultLag changes wait. Nil options are the defaults; wrong ones, or a wrong key, are
// what the subscription ends with: an *OptionError, or ErrInvalidKey.
func Observe(key AutoConfigKey, o *Options) stream.Observable[Change] {
	s, err := o.resolve(key)
	if err != nil {
		return stream.Fail[Change](err)
	}
	return func(ctx context.Context, yield func(Change) bool) error {
		return newClient(s).observe(ctx, yield)
	}
}

// observe runs a client that has not been started for one subscriber, and closes it.
func (c *Client) observe(ctx context.Context, yield func(Change) bool) error {
	// The client starts when the subscription begins, so that no change precedes it.
	begin := func() []Change {
		c.start(ctx)
		return nil
	}
	defer c.Close()
	return c.changes.Observe(stream.Block[Change](DefaultLag), begin)(ctx, yield)
}

// A Client is one connection, kept up, and one state, for any number of subscribers, who come and go
// without touching each other. Its methods may be called concurrently.
type Client struct {
	settings *settings
	session  sse.Session
	state    *diff.State // guarded by changes
	changes  *stream.Subject[Change]
	events   tap[sse.Event]
	messages tap[decode.Message]
	board    *statusBoard
	policy   *reconnection
	journal  *journal
	keeper   *keeper // nil without a Cache
	counters counters

	cancel context.CancelCauseFunc
	ready  chan struct{} // closed at the first Synced
	once   sync.Once     // closes ready
	done   chan struct{} // closed when everything has stopped
	err    error         // why it stopped; set before done is closed
}

// Open starts a client. It returns at once; Client.Ready waits for the first configuration. The
// client lives until Close is called, ctx ends, or the connection has failed for good. Nil options
// are the defaults. The error is an *OptionError or ErrInvalidKey.
func Open(ctx context.Context, key AutoConfigKey, o *Options) (*Client, error) {
	s, err := o.resolve(key)
	if err != nil {
		return nil, err
	}
	c := newClient(s)
	c.start(ctx)
	return c, nil
}

func newClient(s *settings) *Client {
	c := &Client{
		settings: s,
		changes:  stream.NewSubject[Change](),
		events:   newTap(sse.Event.Clone),
		messages: newTap(func(m decode.Message) decode.Message { return m }),
		board:    newStatusBoard(),
		ready:    make(chan struct{}),
		done:     make(chan struct{}),
		counters: counters{opened: time.Now()},
	}
	c.policy = newReconnection(s, &c.session)
	c.journal = newJournal(s.Logger)
	c.keeper = newKeeper(c, s.Cache)
	c.state = diff.NewState(&diff.Options{
		MaxTombstones: s.MaxTombstones,
		Stale:         c.journal.stale,
		Expiring:      c.journal.expiring,
		Synced:        c.synced,
	})
	return c
}

// start runs the client on a goroutine of its own, which Close waits for.
func (c *Client) start(ctx context.Context) {
	ctx, c.cancel = context.WithCancelCause(ctx)
	c.keeper.start(ctx)
	go func() {
		defer close(c.done)
		c.finish(c.run(ctx))
	}()
}

// run is the whole way of the data.
func (c *Client) run(ctx context.Context) error {
	events := stream.Tap(c.connection(), c.arrived)                        // one connection: ends with its error
	messages := decode.Messages(events, c.decodeOptions())                 // its events, typed
	messages = stream.Retry(stream.Tap(messages, c.received), c.reconnect) // reconnects until it is told to stop
	return c.state.Run(ctx, messages, c.update)                            // versioned state, scanned into changes
}

// connection is one connection to the server.
func (c *Client) connection() stream.Observable[sse.Event] {
	o := c.settings.connectOptions()
	o.Session, o.Borrow = &c.session, true
	// Changes that come in one burst wake a subscriber that sleeps once, at its end.
	o.OnWait = c.changes.Release
	o.OnRead = func(n int) {
		c.counters.got(n)
		c.changes.Hold()
	}
	o.OnOpen = func(*http.Response) { c.opened() }
	return sse.Connect(func(ctx context.Context) (*http.Request, error) {
		c.attempting()
		key, err := c.settings.currentKey(ctx)
		if err != nil {
			return nil, err
		}
		c.keeper.attempt(key)
		return c.settings.request(ctx, key)
	}, o)
}

func (c *Client) decodeOptions() *decode.Options {
	return &decode.Options{
		Known:     c.known,
		MaxListed: c.settings.MaxEnvironments,
		OnUnusual: func(n int) { c.counters.unusual.Add(uint64(n)) },
	}
}

// known looks up what the state holds, while keys may expire.
func (c *Client) known(id []byte) (e *decode.EnvironmentRep) {
	c.changes.View(func() { e = c.state.Environment(id) })
	return e
}

// arrived sees every event before it is decoded.
func (c *Client) arrived(e sse.Event) {
	c.counters.events.Add(1)
	c.events.pass(e)
}

// received sees every message before it is applied.
func (c *Client) received(m decode.Message) {
	c.messages.pass(m)
	c.journal.message(&m)
	if m.Kind != decode.Ignored {
		c.keeper.received()
	}
}

// update applies f to the state and passes on what it emits.
func (c *Client) update(ctx context.Context, f func(emit func(Change))) error {
	err := c.journal.update(ctx, c.changes, f)
	c.keeper.changed()
	return err
}

// reconnect makes the policy of reconnection, of which there is one in a client's life.
func (c *Client) reconnect() stream.RetryPolicy {
	return func(err error) time.Duration {
		c.changes.Release()
		delay := c.policy.next(err)
		c.failed(err, delay)
		return delay
	}
}

// Close ends the client: whatever it is doing, at once. When it has returned, its connection, its
// goroutines and timers are gone. Subscribers get what was waiting for them, and then their
// observables complete. It is idempotent. It must not be called from functions in Options, for
// which it would wait; a subscriber may call it.
//
// With Options.Cache it saves what was not saved yet, and waits for the cache up to 100 ms in all.
func (c *Client) Close() {
	c.cancel(ErrClosed)
	<-c.done
}

// finish tells everybody that the client has ended with err.
func (c *Client) finish(err error) {
	c.err = err
	c.ended(err)
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	c.changes.Close(err)
	c.events.subject.Close(err)
	c.messages.subject.Close(err)
	c.board.close()
	c.keeper.close()
}

// Ready waits until there is a configuration, a cached one included, and returns nil then; it
// returns context.Cause(ctx) if ctx ends before, ErrClosed if the client was closed before, and what
// ended the client if something else did.
func (c *Client) Ready(ctx context.Context) error {
	var err error
	select {
	case <-c.ready:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-c.done:
		err = c.err
	}
	// Of several that are the case select takes any; that there is a configuration counts.
	select {
	case <-c.ready:
		return nil
	default:
		return err
	}
}

// Changes returns the changes of the configuration, for any number of subscriptions: each gets the
// state so far as additions and, if there was one, Synced, and then every change that follows;
// nothing is missed and nothing comes twice. One that falls behind by more than Options.Lag gets
// changes of the same environment merged: it ends up in the same state, and holds up nobody.
//
// It completes when the client is closed, and fails when the client fails.
func (c *Client) Changes() stream.Observable[Change] {
	return diff.Split(c.ChangesUnder(stream.Coalesce(c.settings.Lag, Change.Subject, diff.Merge)))
}

// ChangesUnder is Changes with another policy for a subscriber that falls behind. With stream.Block it
// gets every single change, and holds up the connection, and so everybody, while more than the
// policy's number of them wait.
func (c *Client) ChangesUnder(policy stream.Policy[Change]) stream.Observable[Change] {
	return c.changes.Observe(policy, c.state.Snapshot)
}

// Events returns the events as they arrive, of all connections, from the subscription on. A subscriber
// that falls behind by more than DefaultLag loses the oldest. The Data of an event is its own. It
// costs nothing while nobody subscribes.
func (c *Client) Events() stream.Observable[sse.Event] {
	return c.events.observe()
}

// Messages returns the messages as they are decoded, of all connections, from the subscription on. A
// subscriber that falls behind by more than DefaultLag loses the oldest. It costs nothing while
// nobody subscribes.
func (c *Client) Messages() stream.Observable[decode.Message] { return c.messages.observe() }

// Status returns the client's status: the present one at once, and then each that follows; the last
// one has the State Off. A subscriber that falls behind misses some, but never the latest.
func (c *Client) Status() stream.Observable[Status] { return c.board.observe() }

// A Snapshot is the configuration at one moment. What it points to is shared and must not be modified.
type Snapshot struct {
	// Environments and Filters are what there is, in the order in which it was added.
	Environments []*EnvironmentRep
	Filters      []*Filter
	// Synced tells that the configuration was complete, and Cached that it was a saved one.
	Synced, Cached bool
}

// Snapshot returns the configuration as it is now.
func (c *Client) Snapshot() Snapshot {
	var changes []Change
	c.changes.View(func() { changes = c.state.Snapshot() })
	var s Snapshot
	for _, change := range changes {
		switch change.Kind {
		case EnvironmentAdded:
			s.Environments = append(s.Environments, change.New)
		case FilterAdded:
			s.Filters = append(s.Filters, change.NewFilter)
		case Synced:
			s.Synced, s.Cached = true, change.Cached
		}
	}
	return s
}

// String returns how much there is.
func (s Snapshot) String() string {
	text := fmt.Sprintf("%d environments, %d filters", len(s.Environments), len(s.Filters))
	switch {
	case s.Cached:
		return text + ", cached"
	case s.Synced:
		return text + ", synced"
	}
	return text
}

// Format implements fmt.Formatter with String for every verb, because a snapshot holds keys.
func (s Snapshot) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer with String.
func (s Snapshot) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String returns a description without the key.
func (c *Client) String() string { return "autoconfig.Client(" + c.board.get().State.String() + ")" }

// Format implements fmt.Formatter with String for every verb, because a client holds keys.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// A tap passes on what flows by, if anybody is there.
type tap[T any] struct {
	subject     *stream.Subject[T]
	subscribers *atomic.Int32
	own         func(T) T // makes a value that may be kept
}

func newTap[T any](own func(T) T) tap[T] {
	return tap[T]{stream.NewSubject[T](), new(atomic.Int32), own}
}

func (t tap[T]) pass(v T) {
	if t.subscribers.Load() > 0 {
		// It never waits, for want of a policy that blocks, and needs no context.
		_ = t.subject.Publish(context.Background(), t.own(v))
	}
}

func (t tap[T]) observe() stream.Observable[T] {
	tapped := t.subject.Observe(stream.DropOldest[T](DefaultLag), nil)
	return func(ctx context.Context, yield func(T) bool) error {
		t.subscribers.Add(1)
		defer t.subscribers.Add(-1)
		return tapped(ctx, yield)
	}
}
