package autoconfig

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/plainhttp"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Defaults of Options.
const (
	// DefaultBaseURI is the service's address.
	DefaultBaseURI = "https://stream.launchdarkly.com"
	// DefaultInitialRetryDelay is the delay before the first reconnection.
	DefaultInitialRetryDelay = time.Second
	// DefaultLag is how many changes, events or messages may wait for a subscriber before more of them
	// are merged, dropped or not read, as each observable says.
	DefaultLag = 1024
	// DefaultProtocolVersion is the protocol version asked for: environments and filters.
	DefaultProtocolVersion = 2

	streamPath       = "/relay_auto_config"
	versionParameter = "rpacProtocolVersion"
	defaultUserAgent = "relaystream-autoconfig"
)

// Options refine Observe and Open. The zero value, like nil, is the default. They are copied at the
// call.
type Options struct {
	// BaseURI is the address of the service without the stream's path: an absolute URI of scheme
	// https or http. A query in it is kept. The default is DefaultBaseURI.
	BaseURI string
	// Key, if not nil, is asked for the key before each connection, so that one that was rotated
	// needs no restart; the key given to Observe or Open is not used then. It is called on the
	// client's goroutine, may block until its context ends, and must not call the client. A failure
	// is retried like one of the network, unless it is or wraps a *backoff.PermanentError: that ends
	// the stream.
	Key func(ctx context.Context) (AutoConfigKey, error)
	// ProtocolVersion is 1 for environments only, 2 for environments and filters. The default is
	// DefaultProtocolVersion.
	ProtocolVersion int
	// HTTPClient sends the requests. It is copied: its Timeout is ignored, because it would end the
	// stream, and its redirect policy is tightened, so that the key goes to no other host. The
	// default is a client of our own, with the proxy of the environment.
	HTTPClient *http.Client
	// UserAgent is sent in the header of that name. The default names this library.
	UserAgent string
	// AllowPlainHTTP permits http to hosts other than loopback, which sends the key in the clear. Without
	// it a BaseURI that asks for that is refused, and a redirect to such a host is a failed attempt, with
	// sse.ErrPlainHTTP.
	AllowPlainHTTP bool

	// InitialRetryDelay is the delay before the first reconnection; it doubles up to 30 s. The
	// server can set another one. The default is DefaultInitialRetryDelay.
	InitialRetryDelay time.Duration
	// StopOnRejectedKey ends the stream, with the *sse.StatusError, when the server rejects the key
	// (401 or 403). By default it is retried after 5 min, doubling to 1 h.
	StopOnRejectedKey bool

	// ConnectTimeout bounds each of dialling, the TLS handshake and the wait for the response's
	// header. The default is 10 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long the server may say nothing, not even a comment, before the connection
	// is given up. The default is sse.DefaultIdleTimeout, 5 min; the service sends a comment every
	// 3 min.
	IdleTimeout time.Duration
	// MaxEventSize limits one event, in bytes. A larger one ends the connection with
	// sse.ErrEventTooLarge. The default is 64 MiB.
	MaxEventSize int
	// MaxEnvironments limits the environments, and the filters, of one put: more environments end the
	// connection with an error that matches decode.ErrTooMany, more filters are ignored. The default
	// is decode.DefaultMaxListed, 262,144.
	MaxEnvironments int
	// MaxTombstones limits how many deletions are remembered; see diff.Options. The default is
	// diff.DefaultMaxTombstones.
	MaxTombstones int
	// MaxRedirects is how many redirects are followed. The default is 10; a negative number is none.
	MaxRedirects int
	// Lag is how many changes may wait for a subscriber of Client.Changes before those of the same
	// environment are merged. The default is DefaultLag.
	Lag int

	// Cache, if not nil, keeps the configuration over restarts. While the client makes its first
	// connection it loads the saved one, and if that is there before the server says anything it begins
	// with it: Ready returns, subscribers get it with a Synced that is Cached, and Status.Cached is true
	// until the server's has replaced it, with changes for nothing but the differences. A rejected key
	// does not end that, unless StopOnRejectedKey is set.
	//
	// The server's configuration is saved when it has changed: at most once a second, and when the
	// client is closed. It is encrypted under the key that the last connection was made with; the saved
	// one is opened with the key of the first attempt to connect. Neither loading nor saving holds up
	// the stream or fails the client: what goes wrong is in Stats.Cache and the log.
	Cache Cache

	// Logger gets what an operator should know. It is called on the client's goroutines and must not
	// call the client. The default discards.
	Logger *slog.Logger
}

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

// settings are Options after the defaults, checked.
type settings struct {
	Options
	url string
	key keySource
}

// resolve checks the options and fills in the defaults.
func (o *Options) resolve(key AutoConfigKey) (*settings, error) {
	s := &settings{key: fixedKey(key)}
	if o != nil {
		s.Options = *o
	}
	for _, option := range []struct {
		name  string
		value int64
	}{
		{"InitialRetryDelay", int64(s.InitialRetryDelay)}, {"ConnectTimeout", int64(s.ConnectTimeout)}, {"IdleTimeout", int64(s.IdleTimeout)},
		{"MaxEventSize", int64(s.MaxEventSize)}, {"MaxEnvironments", int64(s.MaxEnvironments)}, {"MaxTombstones", int64(s.MaxTombstones)},
		{"Lag", int64(s.Lag)},
	} {
		if option.value < 0 {
			return nil, &OptionError{option.name, "is negative, must be positive, or 0 for the default"}
		}
	}
	if s.ProtocolVersion < 0 || s.ProtocolVersion > 2 {
		return nil, &OptionError{"ProtocolVersion", "must be 1 or 2, or 0 for the default"}
	}
	if strings.ContainsFunc(s.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, &OptionError{"UserAgent", "must be of printable ASCII characters"}
	}
	if f, ok := s.Cache.(*FileCache); ok && (f == nil || f.Path == "") {
		return nil, &OptionError{"Cache", "is a FileCache that is nil or without a Path"}
	}
	s.setDefaults()
	if s.Options.Key != nil {
		s.key = s.Options.Key
	} else if err := key.check(); err != nil {
		return nil, err
	}
	u, err := streamURL(s.BaseURI, s.ProtocolVersion)
	if err != nil {
		return nil, err
	}
	if !s.AllowPlainHTTP && plainhttp.Is(u) {
		return nil, &OptionError{"BaseURI", "is plain http to a host other than loopback, which AllowPlainHTTP would permit"}
	}
	s.url = u.String()
	return s, nil
}

func (s *settings) setDefaults() {
	setDefault(&s.BaseURI, DefaultBaseURI)
	setDefault(&s.ProtocolVersion, DefaultProtocolVersion)
	setDefault(&s.UserAgent, defaultUserAgent)
	setDefault(&s.InitialRetryDelay, DefaultInitialRetryDelay)
	setDefault(&s.IdleTimeout, sse.DefaultIdleTimeout)
	setDefault(&s.MaxTombstones, diff.DefaultMaxTombstones)
	setDefault(&s.Lag, DefaultLag)
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

// streamURL returns the stream's address below base.
func streamURL(base string, protocolVersion int) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &OptionError{"BaseURI", "must be an absolute URI of scheme https or http"}
	}
	u = u.JoinPath(streamPath)
	u.Fragment = ""
	if protocolVersion > 1 {
		parameter := versionParameter + "=" + strconv.Itoa(protocolVersion)
		if u.RawQuery != "" {
			parameter = u.RawQuery + "&" + parameter
		}
		u.RawQuery = parameter
	}
	return u, nil
}

// currentKey returns the key as it is now.
func (s *settings) currentKey(ctx context.Context) (AutoConfigKey, error) {
	key, err := s.key(ctx)
	if err != nil {
		return "", fmt.Errorf("autoconfig: key provider: %w", err)
	}
	return key, key.check()
}

// request makes the request of one connection.
func (s *settings) request(ctx context.Context, key AutoConfigKey) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", string(key))
	request.Header.Set("User-Agent", s.UserAgent)
	return request, nil
}

// connectOptions returns what a connection needs to know, without a session and hooks.
func (s *settings) connectOptions() *sse.ConnectOptions {
	return &sse.ConnectOptions{
		Client:          s.HTTPClient,
		ConnectTimeout:  s.ConnectTimeout,
		IdleTimeout:     s.IdleTimeout,
		MaxEventSize:    s.MaxEventSize,
		MaxRedirects:    s.MaxRedirects,
		RefusePlainHTTP: !s.AllowPlainHTTP,
	}
}
