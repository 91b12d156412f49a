package file

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// Defaults of Options.
const (
	// DefaultInterval is the default of Options.Interval.
	DefaultInterval = time.Minute
	// DefaultMaxSize is the default of Options.MaxSize, in bytes. It equals the default limit of an event of the stream.
	DefaultMaxSize = 64 << 20
)

// Options are the options of Source. Nil and the zero value give the defaults.
type Options struct {
	// Interval is how often the file is checked if there is no notification of a change. It is read then if its time of
	// modification, its size or its identity has changed. The interval is 1 s at most while notifications are not
	// available, because the system has no more of them, for example. The default is DefaultInterval.
	Interval time.Duration
	// MaxSize limits the size of the file in bytes. A larger file is not used; the error matches ErrTooLarge.
	// The default is DefaultMaxSize.
	MaxSize int64
}

// resolve returns a copy of o with the defaults filled in. It panics if an option is negative.
func (o *Options) resolve() Options {
	var resolved Options
	if o != nil {
		resolved = *o
	}
	if resolved.Interval < 0 || resolved.MaxSize < 0 {
		panic("file: Options.Interval or Options.MaxSize is negative")
	}
	if resolved.Interval == 0 {
		resolved.Interval = DefaultInterval
	}
	if resolved.MaxSize == 0 {
		resolved.MaxSize = DefaultMaxSize
	}
	return resolved
}

// Source returns the content of the file at path as messages: a Put at the beginning and with each change, and an
// Ignored message when the file can't be used. The comment of the package has the details. Each subscription reads and
// watches the file for itself. It ends when its context ends or yield returns false, and not by itself. A slow
// subscriber misses contents that have been replaced meanwhile, but not the latest.
//
// A relative path is relative to the directory that is current when the file is read. A file on a file system that does
// not answer can hold up the end of a subscription.
//
// The options are copied. Source panics if path is empty or an option is negative.
func Source(path string, o *Options) stream.Observable[decode.Message] {
	if path == "" {
		panic("file: Source without a path")
	}
	options := o.resolve()
	return func(ctx context.Context, yield func(decode.Message) bool) error {
		f := follower{path: path, options: options, seed: maphash.MakeSeed()}
		for more, changed := true, true; more; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			more, changed = f.step(ctx, changed, yield)
		}
		return nil
	}
}

// A follower is one subscription.
type follower struct {
	path    string
	options Options
	seed    maphash.Seed

	found finding // what was reported last
	seen  *check  // of the last content that was read; nil if the file could not be read
	held  held    // what the last good contents add up to
}

// A finding is what a look at the file has found: the content's hash, or why there is none.
type finding struct {
	read bool
	hash uint64
	err  string
}

// step looks at the file, if it has changed, and waits for its next change or the end of the interval. It reports
// whether yield wants more, and whether there was a notification of a change.
func (f *follower) step(ctx context.Context, changed bool, yield func(decode.Message) bool) (more, next bool) {
	// The watch begins before the file is read, so that no change falls between the two. It is a new one each time,
	// because the change may have replaced links and directories.
	w := newWatch(f.path)
	defer w.close()
	if (changed || !f.seen.current(f.path)) && !f.look(ctx, yield) {
		return false, false
	}
	return true, w.wait(ctx, f.options.Interval)
}

// look reads the file and yields what is new. It reports whether yield wants more.
func (f *follower) look(ctx context.Context, yield func(decode.Message) bool) (more bool) {
	data, seen, err := read(ctx, f.path, f.options.MaxSize)
	found := finding{read: err == nil}
	if err != nil {
		found.err = err.Error()
	} else {
		found.hash = maphash.Bytes(f.seed, data)
	}
	if ctx.Err() != nil {
		return true
	}
	f.seen = seen
	if found == f.found {
		return true
	}
	var m decode.Message
	if err == nil {
		m, err = f.decode(ctx, data)
	}
	if ctx.Err() != nil {
		return true
	}
	f.found = found
	if m.Kind == decode.Put && !yield(m) {
		return false
	}
	return err == nil || ctx.Err() != nil || yield(f.unusable(err))
}

// decode decodes the content. A message of kind Put is valid beside an error.
func (f *follower) decode(ctx context.Context, data []byte) (decode.Message, error) {
	m, err := decode.Content(ctx, data, nil)
	if m.Kind == decode.Put {
		f.held.update(ctx, m.Put)
	}
	return m, err
}

// unusable returns the message about a file that can't be used because of err.
func (f *follower) unusable(err error) decode.Message {
	var located *fs.PathError
	if !errors.As(err, &located) {
		err = &fs.PathError{Op: "decode", Path: f.path, Err: err}
	}
	return decode.Message{Err: &decode.IgnoredError{Event: decode.PutEvent, Path: "/", Err: err}}
}
