package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// A batch has no more messages, and not many more bytes, than this. NATS allows 1,000 messages.
	maxBatch      = 500
	maxBatchBytes = 4 << 20
	// headers is more than the headers of a message take, in bytes.
	headers = 1024
	// maxAttempts is how often a batch is sent until its error counts.
	maxAttempts = 8
)

// The headers of atomic batches.
const (
	batchID       = "Nats-Batch-Id"
	batchSequence = "Nats-Batch-Sequence"
	batchCommit   = "Nats-Batch-Commit"
)

// A writer writes to the bucket while the lease is held: each batch expects the sequence of the lease, and is accepted
// or refused as a whole. The next batch is sent when the one before it was accepted, so that nothing can be missing in
// between. Messages that are published one by one without waiting would be refused by a cluster, which allows only one
// at a time to expect the sequence of a subject.
//
// A batch after which there are other items than before ends with an entry that tells which. So a member that reads the
// bucket while it is written knows when it has all of them.
type writer struct {
	lease   *lease
	waiting []write
	listed  census // of the bucket
}

// A write is a message to be written, and which items there are then.
type write struct {
	*nats.Msg
	census census
}

// add adds an entry, after which there are the items of c.
func (w *writer) add(name string, data []byte, ttl time.Duration, marker bool, c census) {
	w.waiting = append(w.waiting, write{w.message(name, data, ttl, marker), c})
}

func (w *writer) message(name string, data []byte, ttl time.Duration, marker bool) *nats.Msg {
	m := &nats.Msg{Subject: w.lease.publish + name, Data: data, Header: make(nats.Header, 4)}
	if ttl > 0 {
		m.Header.Set(jetstream.MsgTTLHeader, ttl.String())
	}
	if marker {
		m.Header.Set(kvOperation, "DEL")
	}
	return m
}

// room reports whether the next batch has room for more.
func (w *writer) room() bool { return len(w.waiting) < maxBatch }

// limit returns how long the data of a message may be.
func (w *writer) limit() int { return int(w.lease.js.Conn().MaxPayload()) - headers }

// flush writes what waits, and returns how many messages were accepted. The error is errLost if the lease is lost.
func (w *writer) flush(ctx context.Context) (written int, err error) {
	for len(w.waiting) > 0 {
		if w.lease.due() <= 0 {
			if err := w.lease.renew(ctx); err != nil {
				return written, err
			}
		}
		n, err := w.next(ctx)
		if err != nil {
			return written, err
		}
		written += n
		w.waiting = w.waiting[n:]
	}
	w.waiting = nil
	return written, nil
}

// next writes the next batch, and returns how many of the messages that wait were in it.
func (w *writer) next(ctx context.Context) (n int, err error) {
	batch, size := make([]*nats.Msg, 0, min(len(w.waiting), maxBatch)+1), 0
	for _, m := range w.waiting {
		if size += len(m.Data); len(batch) == maxBatch || len(batch) > 0 && size > maxBatchBytes {
			break
		}
		batch = append(batch, m.Msg)
	}
	n = len(batch)
	after := w.waiting[n-1].census
	if after != w.listed {
		data, err := w.lease.codec.seal(listedName, listed, 0, after.encode())
		if err != nil {
			return 0, err
		}
		batch = append(batch, w.message(listedName, data, 0, false))
	}
	if err := w.commit(ctx, batch); err != nil {
		return 0, err
	}
	w.listed = after
	return n, nil
}

// commit writes a batch. After an error it tries again: that of a lost connection does not tell whether the batch was
// accepted, and a batch that is written twice says nothing new.
func (w *writer) commit(ctx context.Context, batch []*nats.Msg) error {
	for attempt := 1; ; attempt++ {
		err := w.send(ctx, batch)
		switch {
		case err == nil, ctx.Err() != nil, errors.Is(err, errLost):
			return err
		case refused(err):
			if errors.Is(w.lease.confirm(ctx), errLost) {
				return errLost
			}
			err = errLost
		default:
			// What was sent may arrive yet. It is refused then, because the sequence of the lease is another.
			if lost := w.lease.renew(ctx); lost != nil {
				return lost
			}
		}
		if attempt == maxAttempts {
			return err
		}
		if err := sleep(ctx, jitter(time.Millisecond<<attempt)); err != nil {
			return err
		}
	}
}

// send sends a batch and waits for the answer. The error is errLost if the lease expires before that.
func (w *writer) send(ctx context.Context, batch []*nats.Msg) error {
	ctx, cancel := context.WithDeadlineCause(ctx, w.lease.expires(), errLost)
	defer cancel()
	last, fence := batch[len(batch)-1], batch[0].Header
	fence.Set(jetstream.ExpectedLastSubjSeqSubjHeader, w.lease.subject+leaseName)
	fence.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.lease.sequence, 10))
	if len(batch) > 1 {
		id := rand.Text()
		for i, m := range batch {
			m.Header.Set(batchID, id)
			m.Header.Set(batchSequence, strconv.Itoa(i+1))
			if m == last {
				m.Header.Set(batchCommit, "1")
			} else if err := w.lease.js.Conn().PublishMsg(m); err != nil {
				return err
			}
		}
	}
	_, err := w.lease.js.PublishMsg(ctx, last)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
