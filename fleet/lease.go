package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errLost reports that another may hold the lease.
var errLost = errors.New("fleet: the lease was lost")

// kvOperation is the header that makes a message a delete marker.
const kvOperation = "KV-Operation"

// A lease is the right to write. Its sequence is that of its last renewal: a message that expects another one is
// refused by the server.
type lease struct {
	*bucket
	codec    *codec
	length   time.Duration
	holder   string // tells it from the leases of others
	sequence uint64
	renewed  time.Time // when the renewal was sent
}

func newLease(b *bucket, c *codec, length time.Duration) *lease {
	return &lease{bucket: b, codec: c, length: length, holder: rand.Text()}
}

// acquire takes the lease if nobody holds it. The error is ErrKey if the bucket is sealed under another key, which leaves
// it to the publishers that have that key.
func (l *lease) acquire(ctx context.Context) (bool, error) {
	last, holder, err := l.look(ctx)
	if err != nil || holder != "" {
		return false, err
	}
	if _, _, err := l.last(ctx, syncedName); err != nil && !errors.Is(err, errEntry) { // which will be replaced
		return false, err
	}
	// If ctx ends meanwhile, the answer is waited for: a lease of which nobody knows could not be released.
	lingering, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	err = l.put(lingering, last)
	if refused(err) {
		return false, nil
	}
	return err == nil, err
}

// look returns the sequence of the last message about the lease, 0 if there is none, and who holds it.
func (l *lease) look(ctx context.Context) (sequence uint64, holder string, err error) {
	sequence, e, err := l.last(ctx, leaseName)
	return sequence, e.holder, err
}

// last returns the sequence of the last message of that name, 0 if there is none, and the entry, which is empty if that
// is a marker.
func (l *lease) last(ctx context.Context, name string) (sequence uint64, e entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s, err := l.js.Stream(ctx, l.stream)
	if err != nil {
		return 0, e, err
	}
	last, err := s.GetLastMsgForSubject(ctx, l.subject+name)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, e, nil
	case err != nil:
		return 0, e, err
	case len(last.Data) == 0:
		return last.Sequence, e, nil
	}
	e, err = l.codec.open(ctx, name, last.Data)
	return last.Sequence, e, err
}

// put writes the lease if the last message about it has the sequence.
func (l *lease) put(ctx context.Context, expected uint64) error {
	data, err := l.codec.seal(leaseName, leased, 0, []byte(l.holder))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sent := time.Now()
	ack, err := l.js.PublishMsg(ctx, &nats.Msg{Subject: l.publish + leaseName, Data: data},
		jetstream.WithExpectLastSequencePerSubject(expected), jetstream.WithMsgTTL(l.length))
	if err != nil {
		return err
	}
	l.sequence, l.renewed = ack.Sequence, sent
	return nil
}

// expires returns when the lease expires, unless it is renewed.
func (l *lease) expires() time.Time { return l.renewed.Add(l.length) }

// due returns how long the next renewal can wait.
func (l *lease) due() time.Duration { return time.Until(l.renewed.Add(l.length / 3)) }

// renew renews the lease. It tries until it succeeds, or the lease is lost or has expired.
func (l *lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, l.expires(), errLost)
	defer cancel()
	for {
		attempt, cancel := context.WithTimeout(ctx, l.length/3)
		err := l.put(attempt, l.sequence)
		cancel()
		if err == nil {
			return nil
		}
		if refused(err) && errors.Is(l.confirm(ctx), errLost) {
			return errLost
		}
		if err := sleep(ctx, jitter(min(l.length/50, firstRetry))); err != nil {
			return err
		}
	}
}

// confirm finds out whether the lease is held still, although a message was refused: the acknowledgement of a renewal
// may have been lost. The error is errLost if it is not.
func (l *lease) confirm(ctx context.Context) error {
	sequence, holder, err := l.look(ctx)
	if err == nil && holder != l.holder {
		return errLost
	}
	if err == nil {
		l.sequence = sequence
	}
	return err
}

// release ends the lease at once, if it is still held and the server can be reached.
func (l *lease) release(ctx context.Context) {
	if !l.js.Conn().IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	for range 2 { // refused if the answer to the last renewal was lost
		marker := &nats.Msg{Subject: l.publish + leaseName, Header: nats.Header{kvOperation: {"DEL"}}}
		_, err := l.js.PublishMsg(ctx, marker, jetstream.WithExpectLastSequencePerSubject(l.sequence), jetstream.WithMsgTTL(markerTTL))
		if !refused(err) || l.confirm(ctx) != nil {
			return
		}
	}
}

// refused reports whether the server refused a message because of the sequence that it expects.
func refused(err error) bool {
	var e *jetstream.APIError
	return errors.As(err, &e) && (e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
