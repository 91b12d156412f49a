package autoconfig

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig/internal/goroutine"
	"github.com/relaystream/autoconfig/internal/journal"
)

// HTTPConfig provides the HTTP client of a StreamManager. Relay's type of that name satisfies it.
type HTTPConfig interface {
	// Client returns the client to use. It is copied, not modified, and its Timeout is ignored.
	Client() *http.Client
}

// A StreamManager connects to the stream and calls a MessageHandler for each change, as Relay's does; a Relay needs
// a small adapter. Its methods may be called concurrently. The zero StreamManager has nothing to start: Start and Done panic,
// and the other methods do nothing.
type StreamManager struct {
	settings func() (*settings, error)
	handler  MessageHandler
	ready    chan error    // what Start returns
	told     sync.Once     // sends the value of ready, or prevents it
	done     chan struct{} // closed when everything has ended
	err      error         // why; set before done is closed

	mu     sync.Mutex
	begun  bool                    // Start or Close was called
	cancel context.CancelCauseFunc // of the subscription; not nil if there is one
	client *Client                 // of the subscription

	calling atomic.Uint64 // the number of the goroutine that calls the handler
}

// NewStreamManager returns a StreamManager that is not started. streamURI is as Options.BaseURI, and may be
// plain http, with a warning in the log. A nil httpConfig means the default client, and an initialRetryDelay of 0
// or less means DefaultInitialRetryDelay. Filters are asked for if handler is also a FilterHandler. A rejected key
// is permanent; any other status is retried. Start reports wrong arguments. NewStreamManager panics if handler is nil.
func NewStreamManager(
	key AutoConfigKey,
	streamURI string,
	handler MessageHandler,
	httpConfig HTTPConfig,
	initialRetryDelay time.Duration,
	loggers ldlog.Loggers,
) *StreamManager {
	o := Options{
		BaseURI:           streamURI,
		InitialRetryDelay: max(initialRetryDelay, 0),
		StopOnRejectedKey: true,
		AllowPlainHTTP:    true,
		Logger:            journal.LDLogger(loggers),
	}
	return newStreamManager(key, handler, func() Options {
		o := o
		if httpConfig != nil {
			o.HTTPClient = httpConfig.Client() // at Start
		}
		return o
	})
}

// NewStreamManagerWithOptions is NewStreamManager with any options, such as Source or Cache. Nil options mean the defaults:
// unlike there, a rejected key is retried, and plain http refused. The options are copied at the call.
func NewStreamManagerWithOptions(key AutoConfigKey, handler MessageHandler, o *Options) *StreamManager {
	var own Options
	if o != nil {
		own = *o
	}
	return newStreamManager(key, handler, func() Options { return own })
}

func newStreamManager(key AutoConfigKey, handler MessageHandler, options func() Options) *StreamManager {
	if handler == nil {
		panic("autoconfig: a StreamManager with a nil handler")
	}
	s := &StreamManager{handler: handler, ready: make(chan error, 1), done: make(chan struct{})}
	// The key is kept in a function, out of sight of package fmt.
	s.settings = func() (*settings, error) {
		o := options()
		if _, ok := handler.(FilterHandler); !ok && o.Source == nil {
			setDefault(&o.ProtocolVersion, 1)
		}
		setDefault(&o.Logger, journal.Warnings(slog.Default()))
		resolved, err := o.resolve(key)
		if err != nil {
			o.Logger.Error("stream not started", "error", err)
			return nil, err
		}
		if resolved.plain {
			o.Logger.Warn("the stream is plain http, which sends the key in the clear")
		}
		resolved.retryNoContent, resolved.onOpen = true, func() { s.tell(nil) }
		return resolved, nil
	}
	return s
}

// Start begins to connect, and returns a channel that gets at most one value and is never closed: nil at
// the first successful connection, or the error with which the stream failed for good before that, which
// was logged: an *sse.StatusError for a rejected key, an *OptionError or ErrInvalidKey for wrong arguments.
// After Close it gets nothing. Further calls return the same channel.
//
// MessageHandler.ReceivedAllEnvironments tells when the configuration is complete. Done and Err tell when
// the stream fails for good later, because the key is rejected.
func (s *StreamManager) Start() <-chan error {
	if s.settings == nil {
		panic("autoconfig: Start of a StreamManager that NewStreamManager did not make")
	}
	s.mu.Lock()
	begun := s.begun
	s.mu.Unlock()
	if !begun {
		// Not under the lock: the HTTPConfig is somebody else's, and may call Close, or panic.
		s.begin(s.settings())
	}
	return s.ready
}

// begin starts the goroutine that calls the handler, unless another call was quicker.
func (s *StreamManager) begin(settings *settings, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun {
		return
	}
	s.begun = true
	if err != nil {
		s.tell(err)
		s.finish(err)
		return
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancelCause(context.Background())
	s.client = newClient(settings)
	go s.run(ctx)
}

// run calls the handler until the client ends.
func (s *StreamManager) run(ctx context.Context) {
	s.calling.Store(goroutine.ID())
	err := ErrClosed // what it stays if the handler ends its goroutine: then the client is closed
	defer func() { s.finish(err) }()
	if failed := Dispatch(ctx, s.client.observe, s.handler); failed != nil {
		err = failed
		s.tell(err)
	}
}

// tell sends the value of ready, if it has none yet and Close was not called.
func (s *StreamManager) tell(err error) { s.told.Do(func() { s.ready <- err }) }

// finish records that everything has ended, and why.
func (s *StreamManager) finish(err error) {
	s.err = err
	close(s.done)
}

// Done returns a channel that is closed when everything has ended: after Close, or when the stream has failed for good.
func (s *StreamManager) Done() <-chan struct{} {
	if s.done == nil {
		panic("autoconfig: Done of a StreamManager that NewStreamManager did not make")
	}
	return s.done
}

// Err returns nil until Done is closed, and then ErrClosed or the error with which the stream failed for good.
func (s *StreamManager) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close ends the stream at once, whatever it is doing. When Close has returned, the connection, all
// goroutines and timers are gone, and the handler is not called again. Close waits for a call of the handler
// that is under way, unless that call itself, on its goroutine, calls Close. With a Cache, Close waits until the last
// configuration is saved, for Options.CloseTimeout at most. Close is idempotent.
func (s *StreamManager) Close() { _ = s.CloseContext(context.Background()) }

// CloseContext is Close that waits until ctx ends at most. It returns nil when everything has ended, and
// context.Cause(ctx) if a call of the handler, or the last save, was still under way when ctx ended. Everything else
// ends without waiting for them, and nothing follows when they return. Calling CloseContext again waits for them.
func (s *StreamManager) CloseContext(ctx context.Context) error {
	if s.settings == nil {
		return nil
	}
	s.told.Do(func() {}) // nothing is sent from now on
	s.mu.Lock()
	if !s.begun {
		s.begun = true
		s.finish(ErrClosed)
	}
	cancel, client := s.cancel, s.client
	s.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel(ErrClosed)
	if s.calling.Load() == goroutine.ID() {
		return goroutine.Await(ctx, client.done)
	}
	return goroutine.Await(ctx, s.done)
}

// String returns a description without the key.
func (s *StreamManager) String() string { return "autoconfig.StreamManager" }

// Format implements fmt.Formatter with String for every verb, because a manager holds keys.
func (s *StreamManager) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }
