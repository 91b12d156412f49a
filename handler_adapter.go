package autoconfig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig/internal/goroutine"
	"github.com/relaystream/autoconfig/stream"
)

// MessageHandler is told of changes by calls. The calls never overlap and come in the order of the
// changes; while one takes its time, the stream waits.
type MessageHandler interface {
	// AddEnvironment is called when there is an environment that was not there before.
	AddEnvironment(params EnvironmentParams)
	// UpdateEnvironment is called when an environment has a new configuration.
	UpdateEnvironment(params EnvironmentParams)
	// ReceivedAllEnvironments is called when a complete configuration has been received and the other
	// methods have been called for all that it changed.
	ReceivedAllEnvironments()
	// DeleteEnvironment is called when an environment is gone.
	DeleteEnvironment(id EnvironmentID)
	// KeyExpired is called when an SDK key of the environment is no longer accepted, that was
	// announced as expiring before.
	KeyExpired(id EnvironmentID, oldKey SDKKey)
}

// FilterHandler is implemented by a MessageHandler that wants to be told of payload filters too.
type FilterHandler interface {
	// AddFilter is called when there is a filter that was not there before.
	AddFilter(params FilterParams)
	// UpdateFilter is called when a filter has changed.
	UpdateFilter(params FilterParams)
	// DeleteFilter is called when a filter is gone.
	DeleteFilter(id FilterID)
}

// Dispatch calls handler for each of changes, on the calling goroutine, until changes ends, and returns
// what that returns. It is lossless if changes is. The expiry of a mobile key, for which a
// MessageHandler has no method, is an UpdateEnvironment without that key.
func Dispatch(ctx context.Context, changes stream.Observable[Change], handler MessageHandler) error {
	filters, _ := handler.(FilterHandler)
	return changes(ctx, func(c Change) bool {
		switch c.Kind {
		case EnvironmentAdded:
			handler.AddEnvironment(Params(c.New))
		case EnvironmentUpdated:
			handler.UpdateEnvironment(Params(c.New))
		case EnvironmentDeleted:
			handler.DeleteEnvironment(c.Old.EnvID)
		case KeyExpired:
			dispatchExpiry(c, handler)
		case Synced:
			handler.ReceivedAllEnvironments()
		default:
			if filters != nil {
				dispatchFilter(c, filters)
			}
		}
		return true
	})
}

func dispatchExpiry(c Change, handler MessageHandler) {
	if c.Key.SDKKey != "" {
		handler.KeyExpired(c.New.EnvID, c.Key.SDKKey)
	} else {
		handler.UpdateEnvironment(Params(c.New))
	}
}

func dispatchFilter(c Change, filters FilterHandler) {
	params := func(f *Filter) FilterParams {
		return FilterParams{ID: f.ID, ProjKey: f.ProjKey, Key: f.FilterKey}
	}
	switch c.Kind {
	case FilterAdded:
		filters.AddFilter(params(c.NewFilter))
	case FilterUpdated:
		filters.UpdateFilter(params(c.NewFilter))
	case FilterDeleted:
		filters.DeleteFilter(c.OldFilter.ID)
	}
}

// HTTPConfig provides the HTTP client of a StreamManager. Relay's type of that name satisfies it.
type HTTPConfig interface {
	// Client returns the client to use. It is copied, not modified, and its Timeout is ignored.
	Client() *http.Client
}

// A StreamManager connects to the stream and calls a MessageHandler for what it says: the drop-in
// replacement for Relay's. Its methods may be called concurrently.
type StreamManager struct {
	settings func() (*settings, error)
	handler  MessageHandler
	ready    chan error    // what Start returns
	done     chan struct{} // closed when everything has ended
	err      error         // why; set before done is closed

	mu     sync.Mutex
	begun  bool                    // Start or Close was called
	cancel context.CancelCauseFunc // of the subscription; not nil if there is one
	client *Client                 // of the subscription

	told    bool          // ready has got its value; for the goroutine that finishes
	calling atomic.Uint64 // the number of the goroutine that calls the handler
}

// NewStreamManager returns a StreamManager that is not started. streamURI is as Options.BaseURI; a
// nil httpConfig is the default client; an initialRetryDelay of 0 or less is
// DefaultInitialRetryDelay; loggers get what an operator should know.
//
// Payload filters are asked for if handler is also a FilterHandler. A rejected key is permanent, as in
// Options.StopOnRejectedKey. Wrong arguments are what the channel of Start gets; a nil handler panics.
func NewStreamManager(
	key AutoConfigKey,
	streamURI string,
	handler MessageHandler,
	httpConfig HTTPConfig,
	initialRetryDelay time.Duration,
	loggers ldlog.Loggers,
) *StreamManager {
	if handler == nil {
		panic("autoconfig: NewStreamManager without a handler")
	}
	o := Options{
		BaseURI:           streamURI,
		ProtocolVersion:   1,
		InitialRetryDelay: max(initialRetryDelay, 0),
		StopOnRejectedKey: true,
		Logger:            ldLogger(loggers),
	}
	if _, ok := handler.(FilterHandler); ok {
		o.ProtocolVersion = 2
	}
	return &StreamManager{
		handler: handler,
		ready:   make(chan error, 1),
		done:    make(chan struct{}),
		// The client is asked for at Start, and the key is kept in a function, out of sight of package fmt.
		settings: func() (*settings, error) {
			o := o
			if httpConfig != nil {
				o.HTTPClient = httpConfig.Client()
			}
			return o.resolve(key)
		},
	}
}

// Start begins to connect, and returns a channel that gets one value: nil when the first complete
// configuration has been received and the handler has been told, or the error with which the stream
// has failed for good before that: an *sse.StatusError for a rejected key, an *OptionError or
// ErrInvalidKey for wrong arguments, ErrClosed after Close. Further calls return the same channel.
//
// The stream can fail for good after that value, too: when the key is rejected or the server asks not
// to come back, whenever that is. Done and Err tell.
func (s *StreamManager) Start() <-chan error {
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
	err := ErrClosed // what it is if the handler ends its goroutine, too: then the client is closed
	defer func() { s.finish(err) }()
	failed := Dispatch(ctx, func(ctx context.Context, yield func(Change) bool) error {
		return s.client.observe(ctx, func(c Change) bool {
			more := yield(c)
			if c.Kind == Synced {
				s.tell(nil)
			}
			return more
		})
	}, s.handler)
	if failed != nil {
		err = failed
	}
}

// tell gives ready its value, if it has none yet.
func (s *StreamManager) tell(err error) {
	if !s.told {
		s.told = true
		s.ready <- err
	}
}

// finish tells that everything has ended, and why.
func (s *StreamManager) finish(err error) {
	s.err = err
	s.tell(err)
	close(s.done)
}

// Done returns a channel that is closed when everything has ended and the handler is not called again:
// because of Close, or because the stream has failed for good, be it before or after the configuration
// was complete.
func (s *StreamManager) Done() <-chan struct{} { return s.done }

// Err returns nil while Done is not closed, and then why it is: ErrClosed because of Close, and otherwise
// the error with which the stream has failed for good, as described at Start.
func (s *StreamManager) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close ends the stream: whatever it is doing, at once. When it has returned, its connection, its
// goroutines and timers are gone, and the handler is not called again. It is idempotent, and may be
// called before Start, which does nothing then.
//
// A call of the handler that is under way is waited for. Only if Close is called by that call
// itself, on its goroutine, it does not wait for it. It must not be called from a logger.
func (s *StreamManager) Close() { _ = s.CloseContext(context.Background()) }

// CloseContext is Close that waits until ctx ends at most. It returns nil when everything has ended, and
// context.Cause(ctx) if ctx ended before that: a call of the handler is still under way then, which
// nobody but the handler can end. All else, the connection, timers and other goroutines, ends at once and
// does not depend on it. When that call returns, the handler is not called again, and the goroutine that
// made it ends. Close and CloseContext can be called again, to wait for that after all.
func (s *StreamManager) CloseContext(ctx context.Context) error {
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
		client.Close()
		return nil
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	// Of two that are the case select takes any; that all has ended counts.
	select {
	case <-s.done:
		return nil
	default:
		return context.Cause(ctx)
	}
}

// String returns a description without the key.
func (s *StreamManager) String() string { return "autoconfig.StreamManager" }

// Format implements fmt.Formatter with String for every verb, because a manager holds keys.
func (s *StreamManager) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }
