package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/relaystream/autoconfig/cache"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/connkey"
	"github.com/relaystream/autoconfig/internal/disconnect"
	"github.com/relaystream/autoconfig/internal/journal"
	"github.com/relaystream/autoconfig/internal/reconnect"
	"github.com/relaystream/autoconfig/internal/tally"
	"github.com/relaystream/autoconfig/internal/tap"
	"github.com/relaystream/autoconfig/internal/upstream"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// ErrClosed reports that Close ended the client.
var ErrClosed = errors.New("autoconfig: client closed")

// Observe returns the changes of the configuration as a cold observable: each subscription has a
// connection and a state of its own, reconnects by itself, and ends when its context ends, yield
// stops it, or the connection has failed for good. Nothing is dropped or merged: a slow subscriber holds up
// its own connection. Nil options mean the defaults. Wrong options or a wrong key end a subscription with an
// *OptionError or ErrInvalidKey. With a Cache, the end of a subscription waits for the last save, as Client.Close does.
func Observe(key AutoConfigKey, o *Options) stream.Observable[Change] {
	s, err := o.resolve(key)
	if err != nil {
		return stream.Fail[Change](err)
	}
	return func(ctx context.Context, yield func(Change) bool) error {
		return newClient(s).observe(ctx, yield)
	}
}

// A Client keeps one connection and one state for any number of subscribers. Open makes one; the
// methods of the zero Client panic, except String and Format. Methods may be called concurrently.
type Client struct {
	settings *settings
	session  sse.Session
	policy   reconnect.Policy

	state    *diff.State // guarded by changes
	changes  *stream.Subject[Change]
	emit     func(Change) // what publish passes a change to; guarded by changes
	publish  func(Change) // publishChange as a value, made once so that an update does not allocate
	events   *tap.Tap[sse.Event]
	messages *tap.Tap[decode.Message]

	life     *stream.Behavior[life] // scanned into Status and Stats
	counters tally.Counters
	journal  *journal.Journal
	cache    *cache.Cache // nil without Options.Cache
	keys     *connkey.History

	heard chan struct{} // gets a token at the server's first message
	ready chan struct{} // closed at the first Synced
	over  chan struct{} // closed when the stream has ended
	err   error         // why; set before over is closed

	cancel  context.CancelCauseFunc
	endSave context.CancelCauseFunc
	saved   chan error    // receives the result of the last save
	saveErr error         // that; set before done is closed
	done    chan struct{} // closed when everything has stopped
}

// Open starts a client, and does not wait for it; Client.Ready does. The client lives until Close is called, ctx ends,
// or the connection has failed for good. Nil options mean the defaults. The error is an *OptionError or ErrInvalidKey.
func Open(ctx context.Context, key AutoConfigKey, o *Options) (*Client, error) {
	s, err := o.resolve(key)
	if err != nil {
		return nil, err
	}
	c := newClient(s)
	c.start(ctx)
	return c, nil
}

// mustBeOpen returns c. It panics if c is the zero Client.
func (c *Client) mustBeOpen() *Client {
	if c.settings == nil {
		panic("autoconfig: zero Client: Open makes one")
	}
	return c
}

func newClient(s *settings) *Client {
	now := time.Now()
	c := &Client{
		settings: s,
		changes:  stream.NewSubject[Change](),
		events:   tap.New(DefaultLag, sse.Event.Clone),
		messages: tap.New(DefaultLag, func(m decode.Message) decode.Message { return m }),
		life:     stream.NewBehavior(life{status: Status{Since: now, OutdatedSince: now}}),
		journal:  journal.New(s.Logger),
		keys:     connkey.New(),
		heard:    make(chan struct{}, 1),
		ready:    make(chan struct{}),
		over:     make(chan struct{}),
		saved:    make(chan error, 1),
		done:     make(chan struct{}),
		counters: tally.New(),
	}
	c.publish = c.publishChange
	c.policy = reconnect.Policy{
		InitialDelay: s.InitialRetryDelay, StopOnRejectedKey: s.StopOnRejectedKey, RetryNoContent: s.retryNoContent,
		Session: &c.session,
	}
	c.state = diff.NewState(&diff.Options{MaxTombstones: s.MaxTombstones, Stale: c.journal.Stale})
	if s.Cache != nil {
		c.cache = cache.New(s.Cache, c.journal.Cache)
	}
	return c
}

// start runs the client, its log and its saving on goroutines of their own. The log and the saving end in finish.
func (c *Client) start(ctx context.Context) {
	ctx, c.cancel = context.WithCancelCause(ctx)
	saving, endSave := context.WithCancelCause(context.WithoutCancel(ctx))
	c.endSave = endSave
	go c.journal.Run()
	go func() { c.saved <- c.save(saving) }()
	go func() {
		defer close(c.done)
		err := errGoexit // until run returns
		defer func() {
			if err == errGoexit {
				c.journal.Lost(err, -1)
			}
			c.finish(err)
		}()
		err = c.run(ctx)
	}()
}

// errGoexit is the error of a client whose goroutine a function of Options has ended.
var errGoexit = errors.New("autoconfig: a function in Options called runtime.Goexit")

// run is the whole path of the data.
func (c *Client) run(ctx context.Context) error {
	messages := c.settings.Source // one connection: ends with its error
	if messages == nil {
		events := upstream.Watch(c.connection(), c.arrived, c.events) // the default is one over HTTP,
		messages = decode.Messages(events, c.decodeOptions())         // its events, typed
	} else {
		messages = upstream.Source(messages, c.attempt, c.opened, c.counters.Passing)
	}
	live := stream.Retry(stream.Tap(messages, c.received), c.reconnect) // reconnects until it is told to stop
	saved := c.cache.Load(c.keys.First)                                 // a saved configuration, if there is one,
	early := stream.TakeUntil(saved, stream.FromChan(c.heard))          // until a live message
	return c.state.Run(ctx, c.update, live, early)                      // versioned state, scanned into changes
}

// connection is one connection to the server.
func (c *Client) connection() stream.Observable[sse.Event] {
	s := c.settings
	return upstream.Connect(s.url, s.UserAgent, c.attempt, &sse.ConnectOptions{
		Client: s.HTTPClient, ConnectTimeout: s.ConnectTimeout, IdleTimeout: s.IdleTimeout,
		MaxEventSize: s.MaxEventSize, Pieces: upstream.Pieces, MaxRedirects: s.MaxRedirects, RefusePlainHTTP: !s.AllowPlainHTTP,
		Session: &c.session, Borrow: true, // decode keeps no event, and the tap clones those that are observed
		OnOpen: func(*http.Response) { c.opened() },
		OnRead: func(n int) {
			c.counters.Read(n)
			c.changes.Hold() // a burst of changes wakes a sleeping subscriber once, at its end
		},
		OnWait: c.changes.Release,
	})
}

// attempt begins an attempt to connect, and returns its key, empty if none is needed.
func (c *Client) attempt(ctx context.Context) (AutoConfigKey, error) {
	c.tell(moment{kind: attempting})
	c.journal.Connecting(c.settings.url)
	if c.settings.key == nil {
		return "", nil
	}
	key, err := upstream.Key(ctx, c.settings.key)
	if err == nil {
		c.keys.Attempt(string(key))
	}
	return key, err
}

func (c *Client) opened() {
	c.counters.Connections.Add(1)
	c.policy.Opened()
	c.keys.Opened()
	c.journal.Opened()
	c.settings.onOpen()
}

func (c *Client) decodeOptions() *decode.Options {
	return &decode.Options{
		Known: c.known, Held: c.held, MaxListed: c.settings.MaxEnvironments,
		OnUnusual: func(n int) { c.counters.Unusual.Add(uint64(n)) },
	}
}

func (c *Client) known(id []byte) (e *decode.EnvironmentRep) {
	c.changes.View(func() { e = c.state.Environment(id) })
	return e
}

func (c *Client) held() (environments, filters int) {
	c.changes.View(func() { environments, filters = c.state.Held() })
	return environments, filters
}

// arrived hears of every event before it is decoded, or of a large one once it is complete.
func (c *Client) arrived(event string) {
	c.counters.Events.Add(1)
	c.journal.Event(event)
}

// received sees every message before it is applied.
func (c *Client) received(m decode.Message) {
	c.messages.Pass(m)
	c.journal.Message(&m)
	if disconnect.Unusable(m.Err) {
		c.tell(moment{kind: unusable, err: m.Err, delay: -1})
	}
	if m.Kind != decode.Ignored {
		select {
		case c.heard <- struct{}{}:
		default:
		}
	}
}

// reconnect returns the policy of reconnection, of which a client has one.
func (c *Client) reconnect() stream.RetryPolicy {
	return func(err error) time.Duration {
		c.changes.Release()
		delay := c.policy.Next(err)
		c.tell(moment{kind: lost, err: err, delay: delay})
		c.journal.Lost(err, delay)
		return delay
	}
}

// update applies f to the state, and publishes what it emits.
func (c *Client) update(ctx context.Context, f func(emit func(Change))) error {
	return c.changes.Update(ctx, func(emit func(Change)) {
		c.emit = emit
		f(c.publish)
	})
}

// publishChange passes a change to the subscribers, while the state is locked.
func (c *Client) publishChange(change Change) {
	c.emit(change)
	c.journal.Change(change)
	c.counters.Changed(change.Kind)
	if change.Kind == Synced {
		c.synced(change.Cached)
	}
}

func (c *Client) synced(cached bool) {
	if cached {
		c.tell(moment{kind: cachedSynced})
	} else {
		c.policy.Synced()
		c.tell(moment{kind: synced})
	}
	select {
	case <-c.ready:
	default:
		close(c.ready)
	}
}

// save keeps the configuration saved until the changes end and the last one is, or until ctx ends.
func (c *Client) save(ctx context.Context) error {
	changed := c.changes.Observe(stream.DropOldest[Change](1), func() []Change {
		if s := c.state.Stats(); s.Puts+s.Completes == 0 {
			return nil
		}
		return make([]Change, 1) // a configuration came before this subscription
	})
	err := c.cache.Save(ctx, changed, c.additions, c.keys.Current)
	if !errors.Is(err, ErrNotSaved) {
		return nil // what else it returns is why the changes ended
	}
	return err
}

// observe runs a client that has not been started for one subscriber, and closes it.
func (c *Client) observe(ctx context.Context, yield func(Change) bool) error {
	// The client starts when the subscription begins, so that no change precedes it.
	begin := func() []Change { c.start(ctx); return nil }
	defer c.Close()
	return diff.Split(c.changes.Observe(stream.Block[Change](DefaultLag), begin))(ctx, yield)
}

// finish ends what is left when the stream has ended with err, and waits for it.
func (c *Client) finish(err error) {
	c.err = err
	c.tell(moment{kind: ended, err: err})
	close(c.over)
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	c.changes.Close(err)
	c.events.Close(err)
	c.messages.Close(err)
	c.life.Close(nil)

	timeout := time.AfterFunc(c.settings.CloseTimeout, func() { c.endSave(errSaveTimeout) })
	c.saveErr = <-c.saved
	timeout.Stop()
	c.journal.Close()
	c.endSave(nil)
	c.cancel(nil)
}

// errSaveTimeout is the cause when a save takes longer than Options.CloseTimeout.
var errSaveTimeout = fmt.Errorf("autoconfig: CloseTimeout: %w", context.DeadlineExceeded)

// Close ends the client at once, whatever it is doing. When it has returned, the connection, all goroutines and timers
// are gone, except for a call of the Logger or the Cache that does not return; nothing follows it. Subscribers get what
// was waiting for them, and then their observables complete. With a Cache, Close waits until the last configuration is
// saved, for Options.CloseTimeout at most; one that Close interrupts is not complete and not saved. Close is
// idempotent. A subscriber may call it; the functions in Options must not.
func (c *Client) Close() { _ = c.CloseContext(context.Background()) }

// CloseContext is Close that stops saving when ctx ends. It returns nil if the last configuration has been
// saved, or needed no saving, and otherwise an error that matches ErrNotSaved and the reason.
func (c *Client) CloseContext(ctx context.Context) error {
	c.mustBeOpen()
	if ctx.Err() != nil {
		c.endSave(context.Cause(ctx)) // before closing can begin a save
	}
	c.cancel(ErrClosed)
	defer context.AfterFunc(ctx, func() { c.endSave(context.Cause(ctx)) })()
	<-c.done
	return c.saveErr
}

// Ready waits until there is a configuration, a cached one included, and returns nil then. It returns
// context.Cause(ctx) if ctx ends first, ErrClosed if the client is closed first, and otherwise the error that
// ended the client.
func (c *Client) Ready(ctx context.Context) error {
	c.mustBeOpen()
	var err error
	select {
	case <-c.ready:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-c.over:
		err = c.err
	}
	// Select picks any case that is ready; a configuration takes precedence.
	select {
	case <-c.ready:
		return nil
	default:
		return err
	}
}

// Changes returns the changes of the configuration, for any number of subscriptions. Each gets the
// state so far as additions and, if it was complete, Synced, and then every change that follows;
// nothing is missed and nothing comes twice. When more than Options.Lag changes wait for a subscriber,
// those of the same environment are merged: it ends up in the same state, and holds up nobody. The observable
// completes when the client is closed. It fails when the client does, or when the context of Open ends.
func (c *Client) Changes() stream.Observable[Change] {
	return c.ChangesUnder(stream.Coalesce(c.mustBeOpen().settings.Lag, Change.Subject, diff.Merge))
}

// ChangesUnder is Changes with another policy for a slow subscriber. With stream.Block the subscriber gets
// every single change, and holds up the connection, and so everybody, while more than the policy's number
// of changes wait. Only the functions of a stream.Coalesce see changes that stand for several; see diff.Change.Split.
func (c *Client) ChangesUnder(policy stream.Policy[Change]) stream.Observable[Change] {
	return diff.Split(c.mustBeOpen().changes.Observe(policy, c.state.Snapshot))
}

// Events returns the events that begin to arrive after the subscription, of all connections: none with Options.Source. A
// slow subscriber loses the oldest when more than DefaultLag wait. A subscription has each event held as a whole.
func (c *Client) Events() stream.Observable[sse.Event] { return c.mustBeOpen().events.Observe() }

// Messages returns the decoded messages from the subscription on. A slow subscriber loses the oldest, as that of Events.
func (c *Client) Messages() stream.Observable[decode.Message] {
	return c.mustBeOpen().messages.Observe()
}

// additions returns the state as changes that make it from nothing.
func (c *Client) additions() (changes []Change) {
	c.mustBeOpen().changes.View(func() { changes = c.state.Snapshot() })
	return changes
}

// EnvironmentByKey returns the environment that accepts key now, or nil. Set either SDKKey or MobileKey; Expiry is
// ignored. It does not block. The first call builds an index of all keys, which takes time and memory in proportion
// to them; later calls are one look-up.
func (c *Client) EnvironmentByKey(key Key) (e *EnvironmentRep) {
	c.mustBeOpen().changes.View(func() { e = c.state.EnvironmentByKey(key) })
	return e
}

// Snapshot returns the configuration as it is now. Its Synced is false while that is not complete: before the first
// put, or if the client ended in the middle of one.
func (c *Client) Snapshot() Snapshot { return diff.SnapshotOf(c.additions()) }

// String returns a description without the key.
func (c *Client) String() string {
	return "autoconfig.Client(" + c.status().State.String() + ")"
}

// Format implements fmt.Formatter with String for every verb, because a client holds keys.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }
