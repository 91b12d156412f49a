package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/journal"
	"github.com/relaystream/autoconfig/internal/mask"
	"github.com/relaystream/autoconfig/stream"
)

// Defaults of Options.
const (
	// DefaultBucket is the name of the bucket.
	DefaultBucket = "autoconfig"
	// DefaultLease is how long a publisher may be silent before another takes over.
	DefaultLease = 15 * time.Second
	// DefaultTombstoneTTL is how long the bucket remembers a deletion.
	DefaultTombstoneTTL = 24 * time.Hour
	// DefaultHeartbeat is how often the server says that it is there.
	DefaultHeartbeat = 5 * time.Second

	minLease     = time.Second // less is not supported by NATS
	maxReplicas  = 5           // nor more
	minHeartbeat = 100 * time.Millisecond
)

// ErrKey reports a bucket that is sealed under another key or secret.
var ErrKey = errors.New("fleet: the bucket is sealed under another key")

// Options refine Publish and Source. The zero value, like nil, means the defaults. Options are copied at the call.
type Options struct {
	// Bucket is the name of the key-value bucket: letters, digits, - and _. Its stream is KV_ and this name. The
	// default is DefaultBucket.
	Bucket string
	// Secret, if not empty, seals the bucket in the place of the auto-configuration key. With it the key can be
	// rotated while the bucket stays. Publishers and members need the same one.
	Secret autoconfig.AutoConfigKey

	// Lease is how long a publisher holds its lease without renewing it. It renews it after a third of this time.
	// The minimum is 1 s, the default DefaultLease. It is rounded up to whole seconds. Source ignores it.
	Lease time.Duration
	// Replicas is how many servers of a cluster keep the bucket, when Publish creates it: at most 5. The default is
	// 1. If it is not 0, a bucket that exists must have as many. Source ignores it.
	Replicas int
	// TombstoneTTL is how long the bucket remembers that an item was deleted or omitted. The minimum is 1 s, the
	// default DefaultTombstoneTTL. Source ignores it.
	TombstoneTTL time.Duration
	// Status, if not nil, is what Publish sets to its present status. A subscriber with the policy Block that is
	// slow holds up the publisher. Source ignores it.
	Status *stream.Behavior[Status]
	// Logger gets what an operator should know of a publisher: at level error what ends it, at warn what
	// interrupts it, at info each lease. The default passes warnings and errors to slog.Default. Source ignores it.
	Logger *slog.Logger
	// Heartbeat is how often the server says that it is there, if there is nothing else to say. After 2.5 heartbeats
	// that did not come the connection with the bucket is made anew. Each member costs the server a small message in
	// this time. The minimum is 100 ms, the default DefaultHeartbeat.
	Heartbeat time.Duration
}

// Format implements fmt.Formatter with the secret masked.
func (o Options) Format(f fmt.State, verb rune) {
	type fields Options
	mask.Struct(f, verb, o, fields(o))
}

// LogValue implements slog.LogValuer with the secret masked.
func (o Options) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", o)) }

// settings are checked Options with the defaults filled in.
type settings struct {
	Options
	secret func() string // a function so that no formatting shows it
}

var bucketName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// resolve checks the options and fills in the defaults.
func (o *Options) resolve(key autoconfig.AutoConfigKey) (*settings, error) {
	s := &settings{}
	if o != nil {
		s.Options = *o
	}
	s.Bucket = cmp.Or(s.Bucket, DefaultBucket)
	s.Lease = cmp.Or(s.Lease, DefaultLease)
	s.TombstoneTTL = cmp.Or(s.TombstoneTTL, DefaultTombstoneTTL)
	s.Heartbeat = cmp.Or(s.Heartbeat, DefaultHeartbeat)
	if s.Logger == nil {
		s.Logger = journal.Warnings(slog.Default())
	}
	secret := cmp.Or(s.Secret, key)
	s.Secret, s.secret = "", func() string { return string(secret) }
	switch {
	case !bucketName.MatchString(s.Bucket):
		return nil, &autoconfig.OptionError{Option: "Bucket", Reason: "must be of letters, digits, - and _"}
	case s.Lease < minLease:
		return nil, &autoconfig.OptionError{Option: "Lease", Reason: "must be 1 s or more, or 0 for the default"}
	case s.TombstoneTTL < time.Second:
		return nil, &autoconfig.OptionError{Option: "TombstoneTTL", Reason: "must be 1 s or more, or 0 for the default"}
	case s.Heartbeat < minHeartbeat:
		return nil, &autoconfig.OptionError{Option: "Heartbeat", Reason: "must be 100 ms or more, or 0 for the default"}
	case s.Replicas < 0 || s.Replicas > maxReplicas:
		return nil, &autoconfig.OptionError{Option: "Replicas", Reason: "must be 0 to 5"}
	case secret == "":
		return nil, autoconfig.ErrInvalidKey
	}
	// The server counts whole seconds. It must not forget a lease before the holder does.
	s.Lease = (s.Lease + time.Second - 1).Truncate(time.Second)
	return s, nil
}
