package decode

import (
	"cmp"
	"context"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// DefaultMaxListed is the default of Options.MaxListed: more than 64 MiB, the default limit of an event,
// can hold of environments with a name and keys, which take more than 256 bytes each.
const DefaultMaxListed = 1 << 18

// Options refine Messages. The zero value, like nil, is the default.
type Options struct {
	// MaxListed limits the environments of one put, and its filters, because those that say next to
	// nothing take twenty times as much memory as they have bytes. A put with more environments is
	// malformed, for ErrTooMany; of one with more filters, the filters are ignored. The default is
	// DefaultMaxListed. A negative number is an error of the programmer, and panics.
	MaxListed int
	// Known returns the environment that the receiver of the messages holds under id, or nil. It is
	// only a hint, for speed: an environment of the same version is taken to be the known one, one
	// of a lower version is passed on without its Rep, and what did not change from the known one
	// shares its memory. id is borrowed for the call. Known is called on the goroutine that
	// subscribed. The default knows nothing.
	Known func(id []byte) *EnvironmentRep
	// Held returns how many environments and filters the receiver of the messages holds. A put whose data, or
	// data.environments, is missing or null is an empty set if that deletes none of them, and malformed if it
	// deletes some. Held is called for such a put alone, on the goroutine that subscribed. By default every
	// such put is malformed.
	Held func() (environments, filters int)
	// OnUnusual is called when a message about an environment, or n environments of a put, were in an
	// unusual form, which takes several times as long to read: with white space, an escaped character or
	// an unknown member, for example. It is called on the goroutine that subscribed, before the message is
	// passed on, at most once for each message, and should be quick. The default does nothing.
	OnUnusual func(n int)
}

// resolve returns o with its defaults. It panics if they are wrong.
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
		resolved.Held = func() (environments, filters int) { return 1, 1 } // some
	}
	if resolved.OnUnusual == nil {
		resolved.OnUnusual = func(int) {}
	}
	return resolved
}

// Messages maps the events of one connection to messages. It ends with a *MalformedError,
// a *RefusedError or ErrReconnect when an event says so, with the cause of the context when that ends
// while a large event is being read, else as events does. It blocks only in events and yield, and needs no
// goroutine of its own. The options are copied at the call.
func Messages(events stream.Observable[sse.Event], o *Options) stream.Observable[Message] {
	options := o.resolve()
	return func(ctx context.Context, yield func(Message) bool) error {
		d := newDecoder(&options)
		d.pace.ctx = ctx
		var failed error
		err := events(ctx, func(e sse.Event) bool {
			m, err := d.decode(e.Type, e.Data)
			d.forget()
			if d.unusual > 0 {
				options.OnUnusual(d.unusual)
			}
			if err == nil {
				return yield(m)
			}
			// A refused environment comes with a message, for the rest of a put.
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

// A decoder is the state of one subscription: what makes the next message cheap.
type decoder struct {
	known   func(id []byte) *EnvironmentRep
	held    func() (environments, filters int)
	unusual int // of the last message, as for Options.OnUnusual
	// last has the names of the environment that was new most recently. Its neighbours tend to be
	// of the same project, and to have the same names in each project. Without it,
	// BenchmarkPut/nothing_known takes 37 ms instead of 28, and 31 MB instead of 20.
	last EnvironmentRep
	env  environmentReader
	in   reader
	pace pace
}

func newDecoder(o *Options) *decoder {
	options := o.resolve()
	d := &decoder{known: options.Known, held: options.Held, pace: pace{ctx: context.Background(), left: stride}}
	d.env.pace, d.in.pace = &d.pace, &d.pace
	d.env.maxKeys, d.in.maxListed = options.MaxListed, options.MaxListed
	return d
}

// reader returns the one reader, at the beginning of data.
func (d *decoder) reader(data []byte) *reader {
	d.in.forget()
	d.in.data = data
	return &d.in
}

// forget drops what must not stay in memory until the next event.
func (d *decoder) forget() {
	d.env.forget()
	d.in.forget()
	const kept = 4096 // bytes: far more than names usually have
	if len(d.last.EnvKey)+len(d.last.EnvName)+len(d.last.ProjKey)+len(d.last.ProjName) > kept {
		d.last = EnvironmentRep{}
	}
}

// decode returns the message of one event. With an error there is a message only if it is a put.
func (d *decoder) decode(event string, data []byte) (Message, error) {
	d.unusual = 0
	m, err := d.read(event, data)
	if d.pace.err != nil {
		return Message{}, d.pace.err // what was read until then says nothing
	}
	return m, err
}

// read returns the message of one event.
func (d *decoder) read(event string, data []byte) (Message, error) {
	switch event {
	case PutEvent:
		return d.put(data)
	case PatchEvent:
		return d.patch(data)
	case DeleteEvent:
		return d.delete(data)
	case ReconnectEvent:
		return Message{}, ErrReconnect
	default:
		return Message{Err: ignored(event, "", ErrUnknownEvent)}, nil
	}
}
