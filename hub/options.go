package hub

import (
	"crypto/sha256"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig"
)

// Defaults of Options.
const (
	// DefaultHeartbeat is the time between two comments.
	DefaultHeartbeat = time.Minute
	// DefaultWriteTimeout is how long a reader may take nothing.
	DefaultWriteTimeout = 30 * time.Second
	// DefaultSpread is the time in which Shutdown ends the readers.
	DefaultSpread = 10 * time.Second
	// DefaultMaxReaders is how many readers there may be.
	DefaultMaxReaders = 10_000
	// DefaultMaxBacklog is how many bytes of changes may wait for a reader.
	DefaultMaxBacklog = 64 << 20
)

// Options refine New. Keys is required; the zero value of every other field means its default. Options are copied at the call.
type Options struct {
	// Keys are the auto-configuration keys that readers may send. They need not be the key of the client.
	Keys []autoconfig.AutoConfigKey
	// Heartbeat is the time between two comments, which tell readers that the connection is alive. The default is
	// DefaultHeartbeat.
	Heartbeat time.Duration
	// WriteTimeout is how long a reader may take to read 64 KiB. The default is DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Spread is the time in which Shutdown ends the readers, so that they do not all come to another hub at once. The
	// default is DefaultSpread.
	Spread time.Duration
	// MaxReaders limits the readers. Further ones get status 503 and Retry-After. The default is DefaultMaxReaders.
	MaxReaders int
	// MaxReadersPerAddress limits the readers with one IP address, which readers behind one proxy share. Further ones get
	// status 429 and Retry-After. The default is no limit.
	MaxReadersPerAddress int
	// MaxBacklog limits the bytes of changes that wait for a reader; one that falls further behind is cut off. All readers
	// share the memory, so it should hold the largest burst of changes, and needs no room for each reader. A put that
	// follows the first one counts as a quarter of the limit. The default is DefaultMaxBacklog.
	MaxBacklog int
	// RefuseUntilReady answers with status 503 and Retry-After while there is no configuration. By default the stream opens
	// and the reader waits.
	RefuseUntilReady bool
	// Logger gets a line at level info for each reader that comes or goes, and at warn for each that is refused or cut off. It
	// is called on the readers' goroutines, which Close waits for. The default is slog.Default.
	Logger *slog.Logger
}

// settings are checked Options with the defaults filled in.
type settings struct {
	Options
	keys atomic.Pointer[[][sha256.Size]byte] // the hashes of the keys; see Hub.SetKeys
}

func (o *Options) resolve() (*settings, error) {
	s := &settings{}
	if o != nil {
		s.Options = *o
	}
	for _, option := range []struct {
		name  string
		value int64
	}{
		{"Heartbeat", int64(s.Heartbeat)}, {"WriteTimeout", int64(s.WriteTimeout)}, {"Spread", int64(s.Spread)},
		{"MaxReaders", int64(s.MaxReaders)}, {"MaxReadersPerAddress", int64(s.MaxReadersPerAddress)}, {"MaxBacklog", int64(s.MaxBacklog)},
	} {
		if option.value < 0 {
			return nil, &autoconfig.OptionError{Option: option.name, Reason: "is negative, must be positive, or 0 for the default"}
		}
	}
	if err := s.setKeys(s.Keys); err != nil {
		return nil, err
	}
	s.Keys = nil // the hashes are enough
	setDefault(&s.Heartbeat, DefaultHeartbeat)
	setDefault(&s.WriteTimeout, DefaultWriteTimeout)
	setDefault(&s.Spread, DefaultSpread)
	setDefault(&s.MaxReaders, DefaultMaxReaders)
	setDefault(&s.MaxBacklog, DefaultMaxBacklog)
	setDefault(&s.Logger, slog.Default())
	return s, nil
}

func (s *settings) setKeys(keys []autoconfig.AutoConfigKey) error {
	if len(keys) == 0 || slices.ContainsFunc(keys, func(k autoconfig.AutoConfigKey) bool { return !k.Valid() }) {
		return &autoconfig.OptionError{Option: "Keys", Reason: "must have a key, and only keys of visible ASCII characters"}
	}
	hashes := make([][sha256.Size]byte, 0, len(keys))
	for _, key := range keys {
		hashes = append(hashes, sha256.Sum256([]byte(key)))
	}
	s.keys.Store(&hashes)
	return nil
}

func setDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}
