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
	// OnUnusual is called when a message, or n environments of a put, were not as they usually are and
	// were therefore left to encoding/json, which takes some ten times as long: white space, an
	// escaped character in a name, a member that is not known, an environment that must not be used. n
	// is 1 for a put as a whole. Messages about filters, which always go this way, do not count. It is
	// called on the goroutine that subscribed, before the message is passed on, at most once for each,
	// and should be quick. The default does nothing.
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
	if resolved.OnUnusual == nil {
		resolved.OnUnusual = func(int) {}
	}
	return resolved
}

// Messages maps the events of one connection to messages. It ends with a *MalformedError,
// a *RefusedError or ErrReconnect when an event says so, else as events does. It keeps events'
// promises on blocking and cancellation, and needs no goroutine of its own. The options are copied at the
// call.
func Messages(events stream.Observable[sse.Event], o *Options) stream.Observable[Message] {
	options := o.resolve()
	return func(ctx context.Context, yield func(Message) bool) error {
		d := newDecoder(&options)
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
	known     func(id []byte) *EnvironmentRep
	maxListed int
	unusual   int // what the last message left to encoding/json, as for Options.OnUnusual
	// last has the names of the environment that was new most recently. Its neighbours tend to be
	// of the same project, and to have the same names in each project. Without it,
	// BenchmarkPut/nothing_known takes 37 ms instead of 28, and 31 MB instead of 20.
	last EnvironmentRep
	env  environmentReader
}

func newDecoder(o *Options) *decoder {
	options := o.resolve()
	return &decoder{known: options.Known, maxListed: options.MaxListed}
}

// forget drops what must not stay in memory until the next event.
func (d *decoder) forget() {
	d.env.forget()
	const kept = 4096 // bytes: far more than names usually have
	if len(d.last.EnvKey)+len(d.last.EnvName)+len(d.last.ProjKey)+len(d.last.ProjName) > kept {
		d.last = EnvironmentRep{}
	}
}

// decode returns the message of one event. With an error there is a message only if it is a put.
func (d *decoder) decode(event string, data []byte) (Message, error) {
	d.unusual = 0
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

func (d *decoder) put(data []byte) (Message, error) {
	put, ok := d.fastPut(data)
	if !ok {
		d.unusual = 1
		var path string
		var err error
		path, put, err = strictPut(data, d.maxListed)
		switch {
		case err != nil:
			return Message{}, malformed(PutEvent, err)
		case put == nil:
			return Message{Err: ignored(PutEvent, path, ErrPutPath)}, nil
		}
		for i, entry := range put.Environments {
			put.Environments[i] = d.unlessOutdated(entry)
		}
	}
	m := Message{Kind: Put, Put: put}
	for i := range put.Environments {
		if refused, ok := put.Environments[i].Err.(*RefusedError); ok {
			return m, refused
		}
	}
	return m, nil
}

func (d *decoder) patch(data []byte) (Message, error) {
	entry, ok := d.fastPatch(data)
	if !ok {
		path, err := strictPath(data)
		if err != nil {
			return Message{}, malformed(PatchEvent, err)
		}
		if id, ok := itemID(path, filtersPath); ok {
			return message(Message{Kind: Patch, Filter: strictFilter(data, FilterID(id))})
		}
		id, ok := itemID(path, environmentsPath)
		if !ok {
			return Message{Err: ignored(PatchEvent, path, ErrUnknownPath)}, nil
		}
		d.unusual = 1
		entry, err = strictEnvironment(data, EnvironmentID(id))
		if err != nil {
			return Message{}, malformed(PatchEvent, err)
		}
		entry = d.unlessOutdated(entry)
	}
	return message(Message{Kind: Patch, Environment: entry})
}

func (d *decoder) delete(data []byte) (Message, error) {
	if entry, ok := d.fastDelete(data); ok {
		return Message{Kind: Delete, Environment: entry}, nil
	}
	path, err := strictPath(data)
	if err != nil {
		return Message{}, malformed(DeleteEvent, err)
	}
	version, err := strictVersion(data)
	if id, ok := itemID(path, filtersPath); ok {
		entry := FilterEntry{ID: FilterID(id), Version: version}
		if err != nil {
			entry = filterEntry(DeleteEvent, entry.ID, nil, err)
		}
		return message(Message{Kind: Delete, Filter: entry})
	}
	id, ok := itemID(path, environmentsPath)
	if !ok {
		return Message{Err: ignored(DeleteEvent, path, ErrUnknownPath)}, nil
	}
	d.unusual = 1
	if err != nil {
		return Message{}, malformed(DeleteEvent, err)
	}
	return Message{Kind: Delete, Environment: EnvironmentEntry{ID: EnvironmentID(id), Version: version}}, nil
}

// message passes m on unless its one entry must not be used: the message is ignored then, or
// refused.
func message(m Message) (Message, error) {
	err := m.Environment.Err
	if m.Filter.Err != nil {
		err = m.Filter.Err
	}
	if err == nil {
		return m, nil
	}
	if refused, ok := err.(*RefusedError); ok {
		return Message{}, refused
	}
	return Message{Err: err}, nil
}
