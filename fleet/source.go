package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// ErrIncomplete reports a bucket that lacks items that a publisher has written. The next publisher that takes over
// mends it.
var ErrIncomplete = errors.New("fleet: items are missing in the bucket")

// Source returns the configuration in the bucket as an autoconfig.Options.Source: a Put with the content of the bucket,
// once that is complete, and then a message for each entry as it is written. While no complete configuration has
// been written, it yields nothing. A bucket that is missing for 25 s, a key that is not that of the publisher (ErrKey),
// and a NATS server that is out of reach, or is so for 25 s later on, end a subscription with an error; the client
// subscribes again. Source panics if js is nil. Wrong options end a subscription with an *autoconfig.OptionError.
//
// A source remembers between its subscriptions what it has passed on, so that a client learns of an item that was
// omitted and added again at an older version while it was away. So it is for one client. Another subscription at the
// same time is allowed, and remembers nothing.
func Source(js jetstream.JetStream, key autoconfig.AutoConfigKey, o *Options) stream.Observable[decode.Message] {
	if js == nil {
		panic("fleet: Source: js is nil")
	}
	s, err := o.resolve(key)
	if err != nil {
		return stream.Fail[decode.Message](err)
	}
	var mu sync.Mutex // held by the subscription that has the memory
	var shared memory
	return func(ctx context.Context, yield func(decode.Message) bool) error {
		own := new(memory)
		if mu.TryLock() {
			defer mu.Unlock()
			own = &shared
		}
		return pass(ctx, js, s, own, yield)
	}
}

// A memory is what was passed on.
type memory struct {
	lives   map[string]uint64 // of each item by the name of its entry, unless it is 0
	created time.Time         // when the bucket was created, which has lives of its own; zero until a Put was passed on
}

// A member passes on the entries of the bucket as messages.
type member struct {
	bucket bucket
	codec  *codec
	memory *memory
	yield  func(decode.Message) bool

	content *content // until the Put
	synced  bool     // a synced entry has arrived
}

// pass passes on what the bucket says.
func pass(ctx context.Context, js jetstream.JetStream, s *settings, past *memory, yield func(decode.Message) bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c, err := newCodec(s.Bucket, s.secret())
	if err != nil {
		return err
	}
	m := &member{bucket: newBucket(js, s.Bucket), codec: c, memory: past, yield: yield, content: newContent()}
	var failed error
	err = m.bucket.follow(ctx, ">", s.Heartbeat, func(a arrival) bool {
		more, err := m.receive(ctx, a)
		failed = err
		return more && err == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// receive handles an arrival. It reports whether the subscriber wants more.
func (m *member) receive(ctx context.Context, a arrival) (more bool, err error) {
	var e entry
	if len(a.data) > 0 && a.name != leaseName { // whose lease it is does not matter
		if e, err = m.codec.open(ctx, a.name, a.data); err != nil {
			return false, err
		}
	}
	if m.content == nil {
		return m.live(a.name, &e), nil
	}
	m.content.add(a.name, &e, a.sequence)
	m.synced = m.synced || e.operation == synced
	switch complete := m.content.complete(); {
	case !a.caughtUp || !m.synced:
		return true, nil
	case complete:
		return m.put(a.created), nil
	case a.name == "":
		return false, ErrIncomplete
	}
	// An item that was replaced before its message came is still to come.
	return true, nil
}

// put passes on the content of the bucket, which was created then.
func (m *member) put(created time.Time) bool {
	put, next := m.content.listing(), memory{make(map[string]uint64), created}
	for _, k := range m.content.sorted() {
		next.note(k.name, k.life)
		if m.memory.created.Equal(created) && m.memory.lives[k.name] != k.life && !m.omit(&k.entry) {
			return false // the next subscription has to say the same
		}
	}
	m.content, *m.memory = nil, next
	return m.yield(decode.Message{Kind: decode.Put, Put: put})
}

// live passes on an entry that came after the Put.
func (m *member) live(name string, e *entry) bool {
	switch e.operation {
	case item, deleted:
		// The version of another life does not follow that of the one before it.
		if m.memory.lives[name] != e.life && !m.omit(e) {
			return false
		}
		m.memory.note(name, e.life)
		return m.yield(e.message)
	case omitted:
		m.memory.note(name, 0)
		return m.yield(e.message)
	case synced:
		return m.yield(decode.Message{Kind: decode.Complete})
	}
	return true
}

// omit passes on that the item of an entry was omitted.
func (m *member) omit(e *entry) bool {
	omit := e.message
	omit.Kind = decode.Omit
	omit.Environment.Rep, omit.Filter.Rep = nil, nil
	return m.yield(omit)
}

// note records the life of an item that is about to be passed on.
func (p *memory) note(name string, life uint64) {
	if life == 0 {
		delete(p.lives, name)
	} else {
		p.lives[name] = life
	}
}
