package decode

import (
	"cmp"
	"context"
	"io"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// DefaultMaxListed is the default of Options.MaxListed. An event of 64 MiB, the default limit, cannot hold more
// environments than this if each has a name and keys.
const DefaultMaxListed = 1 << 18

// Options are the options of Messages. A nil pointer and the zero value give the defaults.
type Options struct {
	// MaxListed limits the environments of a put, its filters, and each array of keys of an environment. It
	// bounds memory: an item that is nearly empty takes twenty times as much memory as it has bytes. Too
	// many environments or keys make a message malformed. Too many filters are ignored. Either way the error
	// matches ErrTooMany. The default is DefaultMaxListed. Messages panics if MaxListed is negative.
	MaxListed int
	// Known returns the environment that the receiver of the messages holds under id, or nil. It is a hint
	// that saves time and memory. An environment with the same version is taken to be the known one, an
	// older one is passed on without its Rep, and a newer one shares the memory of what has not changed.
	// id is only valid during the call. Known is called on the goroutine of the subscriber, also for a put that
	// breaks off later. By default no environment is known.
	Known func(id []byte) *EnvironmentRep
	// Held returns how many environments and filters the receiver of the messages holds. It decides about a
	// put without data, or without data.environments: an empty set if that deletes nothing, malformed if it
	// would delete something. Held is only called for such a put, on the goroutine of the subscriber, after
	// all earlier messages have been passed on. By default such a put is always malformed.
	Held func() (environments, filters int)
	// OnUnusual is called when a message contained n environments that are slow to read, because a member of each is
	// unknown, null, repeated, spelt with escapes or in another case, or has within its value white space or an order
	// that encoders rarely write. White space between members, and their order, do not count. OnUnusual is called at
	// most once for each message, on the goroutine of the subscriber, before the message is passed on. It should be
	// quick. By default nothing is called.
	OnUnusual func(n int)
}

// resolve returns a copy of o with the defaults filled in. It panics if MaxListed is negative.
func (o *Options) resolve() Options {
	var resolved Options
	if o != nil {
		resolved = *o
	}
	if resolved.MaxListed < 0 {
		panic("decode: MaxListed is negative")
	}
	resolved.MaxListed = cmp.Or(resolved.MaxListed, DefaultMaxListed)
	if resolved.Known == nil {
		resolved.Known = func([]byte) *EnvironmentRep { return nil }
	}
	if resolved.Held == nil {
		resolved.Held = func() (environments, filters int) { return 1, 1 }
	}
	if resolved.OnUnusual == nil {
		resolved.OnUnusual = func(int) {}
	}
	return resolved
}

// Messages maps the events of one connection to messages. The observable ends with a *MalformedError, a
// *RefusedError or ErrReconnect after an event that calls for it, and otherwise as events does. If the context
// ends while a large event is being decoded, decoding stops and the observable ends with the context's cause.
//
// Messages starts no goroutine. It copies the options, and panics if MaxListed is negative.
func Messages(events stream.Observable[sse.Event], o *Options) stream.Observable[Message] {
	options := o.resolve()
	return func(ctx context.Context, yield func(Message) bool) error {
		d := newDecoder(&options)
		d.budget.ctx = ctx
		var failed error
		err := events(ctx, func(e sse.Event) bool {
			var m Message
			err := d.event(&e, &m)
			d.forget()
			if err == errIncomplete {
				return true // events tells why
			}
			if d.unusual > 0 {
				options.OnUnusual(d.unusual)
			}
			if err == nil {
				return yield(m)
			}
			// A put with a refused environment is passed on for its other environments.
			if m.Kind != Put || yield(m) {
				failed = err
			}
			return false
		})
		if failed != nil {
			return failed
		}
		return err
	}
}

// A decoder decodes the events of one subscription.
type decoder struct {
	known   func(id []byte) *EnvironmentRep
	held    func() (environments, filters int)
	unusual int // the number of environments in the last message that have unusual members
	// last has the names of the last new environment. The next one often belongs to the same project, and
	// can share their memory; see BenchmarkPut/nothing_known.
	last   EnvironmentRep
	env    environmentReader
	in     reader
	budget budget
}

func newDecoder(o *Options) *decoder {
	options := o.resolve()
	d := &decoder{known: options.Known, held: options.Held, budget: budget{ctx: context.Background(), left: checkEvery}}
	d.env.style, d.env.budget, d.in.budget = &compactStyle, &d.budget, &d.budget
	d.env.maxKeys, d.in.maxListed, d.in.size = options.MaxListed, options.MaxListed, windowSize
	return d
}

// reader returns the decoder's reader, reset to data.
func (d *decoder) reader(data []byte) *reader {
	d.in.reset(data)
	return &d.in
}

// forget drops references to the event, and names that are too long to keep until the next one.
func (d *decoder) forget() {
	d.env.forget()
	d.in.forget()
	const keep = 4096 // bytes: far more than usual
	if len(d.last.EnvKey)+len(d.last.EnvName)+len(d.last.ProjKey)+len(d.last.ProjName) > keep {
		d.last = EnvironmentRep{}
	}
}

// event decodes an event into m, which is empty. A put that arrives in pieces is decoded while it arrives. The message is
// valid beside an error if it is a put.
//
// A message is large, so the functions from here down fill it in where it is; see BenchmarkPatch.
func (d *decoder) event(e *sse.Event, m *Message) (err error) {
	d.unusual = 0
	switch {
	case e.Body == nil:
		err = d.whole(e.Type, e.Data, m)
	case e.Type == PutEvent:
		err = d.put(nil, e.Body, m)
	default:
		data, broken := io.ReadAll(e.Body)
		if broken != nil {
			return errIncomplete
		}
		err = d.whole(e.Type, data, m)
	}
	if d.budget.err != nil {
		*m = Message{}
		return d.budget.err // the cause of the context
	}
	return err
}

// whole decodes an event whose data is there.
func (d *decoder) whole(event string, data []byte, m *Message) error {
	switch event {
	case PutEvent:
		return d.put(data, nil, m)
	case PatchEvent:
		return d.patch(data, m)
	case DeleteEvent:
		return d.delete(data, m)
	case ReconnectEvent:
		return ErrReconnect
	}
	m.Err = ignored(event, "", ErrUnknownEvent)
	return nil
}
