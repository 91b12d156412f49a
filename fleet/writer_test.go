package fleet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const testLimit = time.Minute

// newTestBucket returns an empty bucket on a server of its own.
func newTestBucket(t *testing.T) *bucket {
	t.Helper()
	s := startTestServer(t, server.Options{})
	return connectTestBucket(t, s.ClientURL(), 1)
}

// startTestServer starts a server with what the options say, and data of its own.
func startTestServer(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.Port, o.JetStream, o.StoreDir, o.NoSigs, o.NoLog = "127.0.0.1", -1, true, t.TempDir(), true, true
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(testLimit) {
		t.Fatal("the NATS server does not start")
	}
	return s
}

func connectTestBucket(t *testing.T, url string, replicas int) *bucket {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(ended) })
	t.Cleanup(func() {
		nc.Close()
		<-ended
	})
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	b := newBucket(js, DefaultBucket)
	for deadline := time.Now().Add(3 * testLimit); ; time.Sleep(10 * time.Millisecond) { // a cluster has to find itself
		if err = b.open(t.Context(), replicas); err == nil {
			return &b
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func newTestLease(t *testing.T, b *bucket, length time.Duration) *lease {
	t.Helper()
	c, err := newCodec(b.name, "secret")
	if err != nil {
		t.Fatal(err)
	}
	return newLease(b, c, length)
}

func acquired(t *testing.T, l *lease) {
	t.Helper()
	for deadline := time.Now().Add(testLimit); ; time.Sleep(10 * time.Millisecond) {
		ok, err := l.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the lease does not expire")
		}
	}
}

func last(t *testing.T, b *bucket) uint64 {
	t.Helper()
	s, err := b.js.Stream(t.Context(), b.stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// checkFence: the server refuses what is written under the old lease, which has expired or passed on, one message or a
// batch, and accepts what is written under the present one. Both writers believe that they hold the lease: their clocks
// stand still.
func checkFence(t *testing.T, b *bucket, old, present *lease) {
	t.Helper()
	before := last(t, b)
	for _, n := range []int{1, 7} {
		if written, err := writeUnder(t, old, n); written != 0 || !errors.Is(err, errLost) {
			t.Error(written, err)
		}
		if written, err := writeUnder(t, present, n); written != n || err != nil {
			t.Error(written, err)
		}
	}
	old.release(t.Context())
	if got := last(t, b); got != before+8 {
		t.Errorf("%d messages, want 8", got-before)
	}
}

// writeUnder writes n messages under a lease that neither is renewed nor expires by itself.
func writeUnder(t *testing.T, l *lease, n int) (int, error) {
	t.Helper()
	l.renewed = time.Now().Add(time.Hour)
	return writeMessages(t, l, n)
}

func writeMessages(t *testing.T, l *lease, n int) (int, error) {
	t.Helper()
	w := &writer{lease: l}
	for range n {
		w.add("item.x", []byte("x"), 0, false, census{})
	}
	return w.flush(t.Context())
}

func TestFence(t *testing.T) {
	b := newTestBucket(t)
	first, second := newTestLease(t, b, time.Hour), newTestLease(t, b, time.Hour)
	acquired(t, first)
	for _, n := range []int{1, 7} {
		if written, err := writeUnder(t, first, n); written != n || err != nil {
			t.Fatal(written, err)
		}
	}
	if ok, err := second.acquire(t.Context()); ok || err != nil {
		t.Fatal("two hold the lease", err)
	}
	first.length = time.Second // from now on
	if err := first.renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	acquired(t, second)
	checkFence(t, b, first, second)
	if err := second.renew(t.Context()); err != nil {
		t.Error("released by another", err)
	}
	second.release(t.Context())
	before := last(t, b)
	if written, err := writeUnder(t, second, 3); written != 0 || !errors.Is(err, errLost) || last(t, b) != before {
		t.Error(written, err)
	}
}

// TestLostAcknowledgement: a renewal that took place, though the holder does not know, is not taken for that of another.
func TestLostAcknowledgement(t *testing.T) {
	b := newTestBucket(t)
	l := newTestLease(t, b, time.Hour)
	acquired(t, l)
	before := l.sequence
	for _, proceed := range []func() error{
		func() error { return l.renew(t.Context()) },
		func() error {
			w := &writer{lease: l}
			w.add("item.x", []byte("x"), 0, false, census{})
			_, err := w.flush(t.Context())
			return err
		},
	} {
		if err := l.put(t.Context(), l.sequence); err != nil {
			t.Fatal(err)
		}
		l.sequence = before
		if err := proceed(); err != nil || l.sequence == before {
			t.Error(err)
		}
		before = l.sequence
	}
	if err := l.put(t.Context(), l.sequence); err != nil {
		t.Fatal(err)
	}
	l.sequence = before
	l.release(t.Context())
	if ok, err := newTestLease(t, b, time.Hour).acquire(t.Context()); !ok || err != nil {
		t.Error("not released", err)
	}
}

// A leaving JetStream publishes after its publisher has been told to end.
type leaving struct {
	jetstream.JetStream
	end context.CancelFunc
}

func (l leaving) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	l.end()
	return l.JetStream.PublishMsg(ctx, m, o...)
}

// TestEndWhileAcquiring: a publisher that ends while it takes the lease learns that it has it, and can release it.
func TestEndWhileAcquiring(t *testing.T) {
	b := newTestBucket(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.js = leaving{b.js, cancel}
	l := newTestLease(t, b, time.Hour)
	if ok, err := l.acquire(ctx); !ok || err != nil || ctx.Err() == nil {
		t.Fatal(ok, err)
	}
	l.release(ctx)
	if ok, err := newTestLease(t, b, time.Hour).acquire(t.Context()); !ok || err != nil {
		t.Error("not released", err)
	}
}

// A lossy JetStream loses that many answers to items, with the connection.
type lossy struct {
	jetstream.JetStream
	losses int
}

func (l *lossy) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ack, err := l.JetStream.PublishMsg(ctx, m, o...)
	if err == nil && strings.HasSuffix(m.Subject, ".item.x") && l.losses > 0 {
		l.losses--
		return nil, nats.ErrConnectionClosed
	}
	return ack, err
}

// TestLostAnswer: a batch of which nobody knows whether it was accepted is written again, under another sequence of the
// lease: should the first one arrive late, it must not replace what is newer.
func TestLostAnswer(t *testing.T) {
	b := newTestBucket(t)
	js := &lossy{JetStream: b.js}
	b.js = js
	l := newTestLease(t, b, time.Hour)
	acquired(t, l)
	for _, n := range []int{1, 7} {
		js.losses = 1
		before := l.sequence
		if written, err := writeMessages(t, l, n); written != n || err != nil {
			t.Error(written, err)
		}
		if l.sequence == before {
			t.Error("under the same sequence")
		}
	}
	js.losses = maxAttempts
	if written, err := writeMessages(t, l, 1); written != 0 || !errors.Is(err, nats.ErrConnectionClosed) {
		t.Error("tries for ever", written, err)
	}
}

// TestRenewalWhileWriting: a lease that is due is renewed before the next batch, however much there is to write.
func TestRenewalWhileWriting(t *testing.T) {
	b := newTestBucket(t)
	l := newTestLease(t, b, time.Hour)
	acquired(t, l)
	before := l.sequence
	l.renewed = l.renewed.Add(-time.Hour / 2)
	if written, err := writeMessages(t, l, 3); written != 3 || err != nil || l.sequence == before || l.due() <= 0 {
		t.Error("not renewed", written, err)
	}
}

// TestListing: a batch tells which items there are, if these are not those of the batch before it.
func TestListing(t *testing.T) {
	b := newTestBucket(t)
	l := newTestLease(t, b, time.Hour)
	acquired(t, l)
	w, some := &writer{lease: l}, census{1, 5}
	for i, test := range []struct {
		census census
		want   uint64 // messages
	}{{some, 2}, {some, 1}, {census{}, 2}} {
		before := last(t, b)
		w.add("item.x", []byte("x"), 0, false, test.census)
		if written, err := w.flush(t.Context()); written != 1 || err != nil || last(t, b)-before != test.want {
			t.Error(i, written, err, last(t, b)-before)
		}
	}
}

// TestBatches: more messages than one batch has, and more bytes, arrive in order.
func TestBatches(t *testing.T) {
	b := newTestBucket(t)
	l := newTestLease(t, b, time.Hour)
	acquired(t, l)
	for _, test := range []struct{ messages, size int }{{2*maxBatch + 1, 1}, {maxBatch, 1}, {20, maxBatchBytes / 8}} {
		w := &writer{lease: l}
		for i := range test.messages {
			w.add("item.x", append([]byte{byte(i), byte(i >> 8)}, make([]byte, test.size)...), 0, false, census{})
		}
		before := last(t, b)
		if written, err := w.flush(t.Context()); written != test.messages || err != nil {
			t.Error(written, err)
		}
		if got := last(t, b) - before; got != uint64(test.messages) {
			t.Errorf("%d messages, want %d", got, test.messages)
		}
		s, err := b.js.Stream(t.Context(), b.stream)
		if err != nil {
			t.Fatal(err)
		}
		m, err := s.GetLastMsgForSubject(t.Context(), b.subject+"item.x")
		if i := test.messages - 1; err != nil || m.Data[0] != byte(i) || m.Data[1] != byte(i>>8) {
			t.Error("another message is the last", err)
		}
	}
}
