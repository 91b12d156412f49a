package autoconfig

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/journal"
	"github.com/relaystream/autoconfig/internal/upstream"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Defaults of Options.
const (
	// DefaultBaseURI is the service's address.
	DefaultBaseURI = "https://stream.launchdarkly.com"
	// DefaultInitialRetryDelay is the delay before the first reconnection.
	DefaultInitialRetryDelay = time.Second
	// DefaultLag is how many changes, events or messages may wait for a subscriber; beyond that they are
	// merged, dropped or not read, as each observable says.
	DefaultLag = 1024
	// DefaultCloseTimeout is how long Close waits for the cache.
	DefaultCloseTimeout = 5 * time.Second
	// DefaultProtocolVersion asks for environments and filters.
	DefaultProtocolVersion = 2

	defaultUserAgent = "relaystream-autoconfig"
)

// Options refine Observe and Open. The zero value, like nil, means the defaults. Options are copied at the call.
type Options struct {
	// BaseURI is the address of the service without the stream's path: an absolute URI of scheme
	// https or http. A query in it is kept. The default is DefaultBaseURI.
	BaseURI string
	// Key, if not nil, returns the key for the next connection, so that rotating the key needs no
	// restart; the key given to Observe or Open is not used then. It is called on the client's
	// goroutine, may block until its context ends, and must not call the client. A failure is retried,
	// unless it is or wraps a *backoff.PermanentError, which ends the stream.
	Key func(ctx context.Context) (AutoConfigKey, error)
	// ProtocolVersion is 1 for environments only, 2 for environments and filters. The default is
	// DefaultProtocolVersion.
	ProtocolVersion int
	// HTTPClient sends the requests. Its Timeout, which would end the stream, is ignored, and its redirect
	// policy tightened, so that the key goes to no other host. The default uses the environment's proxy.
	HTTPClient *http.Client
	// UserAgent is the header of that name. The default names this library.
	UserAgent string
	// AllowPlainHTTP permits http to hosts other than loopback, which sends the key in the clear. Otherwise
	// such a BaseURI is an *OptionError, and a redirect there fails the attempt with sse.ErrPlainHTTP.
	AllowPlainHTTP bool

	// Source, if not nil, takes the place of the HTTP connection. One subscription is one connection: it is open
	// from its first message on, and the client is Valid from its first Put or Complete on. When it fails, the client
	// subscribes again, as it reconnects; an error that is or wraps a *backoff.PermanentError ends the stream.
	// Completion is an error that matches sse.ErrEndOfStream. Errors are logged as they are and must not hold keys.
	//
	// There is one subscription at a time, on a goroutine of the client. Close waits for it, so it must return
	// when its context ends. A panic in it is not recovered; runtime.Goexit ends the client. What its messages
	// point to must not be modified.
	//
	// Beside a Source, an option of the HTTP connection is an *OptionError: BaseURI, ProtocolVersion, HTTPClient,
	// UserAgent, AllowPlainHTTP, ConnectTimeout, IdleTimeout, MaxEventSize, MaxEnvironments and MaxRedirects. The key
	// may be empty and Key is not called, unless there is a Cache. The default is the HTTP connection.
	Source stream.Observable[decode.Message]

	// InitialRetryDelay is the delay before the first reconnection. It doubles with each failure up to
	// 30 s, and starts again from the beginning once a connection has been open for 60 s. The server can
	// set another initial delay. The default is DefaultInitialRetryDelay.
	InitialRetryDelay time.Duration
	// StopOnRejectedKey ends the stream, with the *sse.StatusError, when the server rejects the key
	// (401 or 403). By default the client tries again after 5 min, doubling to 1 h.
	StopOnRejectedKey bool

	// ConnectTimeout bounds each of dialling, the TLS handshake and the wait for the response's
	// header. The default is 10 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long the server may send nothing, not even a comment, before the client
	// reconnects. The default is sse.DefaultIdleTimeout, 5 min; the service sends a comment every 3 min.
	IdleTimeout time.Duration
	// MaxEventSize limits one event, in bytes. A larger one ends the connection with
	// sse.ErrEventTooLarge. The default is 64 MiB.
	MaxEventSize int
	// MaxEnvironments limits the environments and the filters of one put, and each list of keys. More end the
	// connection with decode.ErrTooMany, but filters are ignored. The default is decode.DefaultMaxListed.
	MaxEnvironments int
	// MaxTombstones limits how many deletions are remembered; see diff.Options. The default is
	// diff.DefaultMaxTombstones.
	MaxTombstones int
	// MaxRedirects is how many redirects are followed. The default is 10; a negative number means none.
	MaxRedirects int
	// Lag is how many changes may wait for a subscriber of Client.Changes before those of one environment
	// are merged. The default is DefaultLag.
	Lag int

	// Cache, if not nil, keeps the configuration over restarts. Until the server says something, the client
	// begins with the saved one: Ready returns, subscribers get it with a Synced that is Cached, and
	// Status.Cached is true until the server's has replaced it, with changes only for the differences.
	//
	// The server's configuration is saved when it has changed, at most once a second, and when the client
	// is closed. It is encrypted under the key of the last connection; the saved one is opened with the
	// key of the first attempt to connect. Neither loading nor saving holds up the stream or fails the
	// client: Stats.Cache and the log tell what went wrong. A save before closing is given up after 10 s.
	Cache Cache
	// CloseTimeout is how long closing the client waits for Cache to save the last configuration. The
	// default is DefaultCloseTimeout. Client.CloseContext can shorten it.
	CloseTimeout time.Duration

	// Logger gets what an operator should know: at level error what needs attention, at warn what interrupts the client
	// or will end a key, at info each attempt and each change, at debug each event. It is called on a goroutine of its
	// own, and may call the client, even Close. If it is slower than the client, lines are left out, and another line
	// counts them. Only the Enabled method of its handler is called wherever something happens: it must be quick and
	// must not call the client. The default passes warnings and errors to slog.Default.
	Logger *slog.Logger
}

// ErrInvalidKey reports an auto-configuration key that a header cannot carry: an empty one, or one with a
// character other than visible ASCII.
var ErrInvalidKey = upstream.ErrInvalidKey

// An OptionError reports an option with a value that is not allowed.
type OptionError struct {
	// Option is the name of the field.
	Option string
	// Reason says what is wrong and what is allowed. It does not repeat the value.
	Reason string
}

func (e *OptionError) Error() string {
	return "autoconfig: option " + e.Option + ": " + e.Reason
}

// settings are checked Options with the defaults filled in.
type settings struct {
	Options
	url   string // empty with a Source
	plain bool   // whether url is plain http to another host
	// key returns the key for the next connection. It is a function so that no formatting shows the key. It is
	// nil if no key is needed.
	key func(ctx context.Context) (AutoConfigKey, error)

	retryNoContent bool   // whether 204 is retried, as Relay does
	onOpen         func() // called when a connection is open
}

// resolve checks the options and fills in the defaults.
func (o *Options) resolve(key AutoConfigKey) (*settings, error) {
	s := &settings{onOpen: func() {}}
	if o != nil {
		s.Options = *o
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.setDefaults()
	if err := s.setKey(key); err != nil {
		return nil, err
	}
	if err := s.setAddress(); err != nil {
		return nil, err
	}
	return s, nil
}

// setKey sets where the key of a connection comes from. given is the key that Observe or Open got.
func (s *settings) setKey(given AutoConfigKey) error {
	unused := s.Source != nil && s.Cache == nil
	switch {
	case s.Options.Key == nil && !given.Valid() && !(unused && given == ""):
		return ErrInvalidKey
	case unused:
	case s.Options.Key != nil:
		s.key = s.Options.Key
	default:
		s.key = func(context.Context) (AutoConfigKey, error) { return given, nil }
	}
	return nil
}

// setAddress sets the address of the stream, unless a Source takes its place.
func (s *settings) setAddress() error {
	if s.Source != nil {
		return nil
	}
	var ok bool
	s.url, s.plain, ok = upstream.Address(s.BaseURI, s.ProtocolVersion)
	switch {
	case !ok:
		return &OptionError{"BaseURI", "must be an absolute URI of scheme https or http"}
	case s.plain && !s.AllowPlainHTTP:
		return &OptionError{"BaseURI", "is plain http to a host other than loopback, which AllowPlainHTTP would permit"}
	}
	return nil
}

// check returns an error if an option other than BaseURI has a value that is not allowed.
func (s *settings) check() error {
	for _, option := range []struct {
		name  string
		value int64
	}{
		{"InitialRetryDelay", int64(s.InitialRetryDelay)}, {"ConnectTimeout", int64(s.ConnectTimeout)}, {"IdleTimeout", int64(s.IdleTimeout)},
		{"MaxEventSize", int64(s.MaxEventSize)}, {"MaxEnvironments", int64(s.MaxEnvironments)}, {"MaxTombstones", int64(s.MaxTombstones)},
		{"Lag", int64(s.Lag)}, {"CloseTimeout", int64(s.CloseTimeout)},
	} {
		if option.value < 0 {
			return &OptionError{option.name, "is negative, must be positive, or 0 for the default"}
		}
	}
	if s.ProtocolVersion < 0 || s.ProtocolVersion > 2 {
		return &OptionError{"ProtocolVersion", "must be 1 or 2, or 0 for the default"}
	}
	if strings.ContainsFunc(s.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return &OptionError{"UserAgent", "must be of printable ASCII characters"}
	}
	if f, ok := s.Cache.(*FileCache); ok && (f == nil || f.Path == "") {
		return &OptionError{"Cache", "is a FileCache that is nil or without a Path"}
	}
	return s.checkSource()
}

// checkSource returns an error if an option is set that would have no effect because of Source.
func (s *settings) checkSource() error {
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"BaseURI", s.BaseURI != ""}, {"ProtocolVersion", s.ProtocolVersion != 0}, {"HTTPClient", s.HTTPClient != nil},
		{"UserAgent", s.UserAgent != ""}, {"AllowPlainHTTP", s.AllowPlainHTTP}, {"ConnectTimeout", s.ConnectTimeout != 0},
		{"IdleTimeout", s.IdleTimeout != 0}, {"MaxEventSize", s.MaxEventSize != 0}, {"MaxEnvironments", s.MaxEnvironments != 0},
		{"MaxRedirects", s.MaxRedirects != 0},
	} {
		if option.set && s.Source != nil {
			return &OptionError{option.name, "is for the HTTP connection, which Source replaces"}
		}
	}
	return nil
}

func (s *settings) setDefaults() {
	setDefault(&s.BaseURI, DefaultBaseURI)
	setDefault(&s.ProtocolVersion, DefaultProtocolVersion)
	setDefault(&s.UserAgent, defaultUserAgent)
	setDefault(&s.InitialRetryDelay, DefaultInitialRetryDelay)
	if s.Source == nil { // it may be silent
		setDefault(&s.IdleTimeout, sse.DefaultIdleTimeout)
	}
	setDefault(&s.MaxTombstones, diff.DefaultMaxTombstones)
	setDefault(&s.Lag, DefaultLag)
	setDefault(&s.CloseTimeout, DefaultCloseTimeout)
	if s.HTTPClient != nil {
		own := *s.HTTPClient
		s.HTTPClient = &own
	}
	if s.Logger == nil {
		s.Logger = journal.Warnings(slog.Default())
	}
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}
