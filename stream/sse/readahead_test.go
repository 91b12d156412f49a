package sse

import (
	"bytes"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// readAll is scanAll by way of a readAhead. It looks at the events only after the goroutine had time to
// write where it must not.
func readAll(r io.Reader, o ScanOptions) outcome {
	id := o.Session.LastEventID
	a := newReadAhead(r, o, 0)
	defer a.close()
	out := outcome{Session: Session{LastEventID: id}}
	for b := (batch{}); ; {
		b = a.take(b)
		for range 3 {
			runtime.Gosched()
		}
		for _, e := range b.events {
			out.Session.passed(&e)
			if e.delivered() {
				out.Events = append(out.Events, e.Clone())
			}
		}
		if b.err != nil {
			if b.err != io.EOF {
				out.Err = b.err
			}
			out.Session = a.session
			return out
		}
	}
}

// TestReadAhead reads a stream of events of all sizes, in reads of all sizes: what is in use is not
// overwritten, and nothing is missing.
func TestReadAhead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var stream bytes.Buffer
	for range 1000 {
		stream.WriteString("id: " + string('a'+rune(rng.IntN(26))) + "\ndata: ")
		stream.Write(bytes.Repeat([]byte{'a' + byte(rng.IntN(26))}, 1<<rng.IntN(17)))
		stream.WriteString("\n\n")
	}
	var chunks [][]byte
	for rest := stream.Bytes(); len(rest) > 0; {
		n := min(1<<rng.IntN(18), len(rest))
		chunks, rest = append(chunks, rest[:n]), rest[n:]
	}
	want := scanAll(bytes.NewReader(stream.Bytes()), ScanOptions{})
	if got := readAll(&chunkReader{chunks: chunks}, ScanOptions{Session: new(Session)}); !reflect.DeepEqual(got, want) { // a diff would take for ever
		t.Errorf("%d events, want %d, or others: %v, want %v", len(got.Events), len(want.Events), got.Session, want.Session)
	}
}

// TestQuietConnectionIsSmall: thousands of quiet streams should cost little, whatever they began with. Most
// begin with one large event, after which nothing may come for minutes; after other busy times they may
// keep their memory until a few heartbeats show that it is quiet.
func TestQuietConnectionIsSmall(t *testing.T) {
	event := func(n int) []byte { return []byte("event: put\ndata: " + strings.Repeat("x", n) + "\n\n") }
	for name, test := range map[string]struct {
		busy       []byte
		heartbeats int
		pieces     int
	}{
		"nothing":                      {nil, 0, 0},
		"an event of 60 KiB":           {event(60 << 10), quietReads + 2, 0},
		"an event of 400 KiB":          {event(400 << 10), 0, 0},
		"an event of 700 KiB":          {event(700 << 10), 0, 0},
		"an event of 3 MiB":            {event(3 << 20), 0, 0},
		"an event of 3 MiB, in pieces": {event(3 << 20), 0, 1 << 10},
		"700 KiB, then events":         {append(event(700<<10), bytes.Repeat(patchEvent, 1000)...), quietReads + 2, 0},
		"events":                       {bytes.Repeat(patchEvent, 10_000), quietReads + 2, 0},
		"events, and the tail of one":  {append(bytes.Repeat(patchEvent, 10_000), event(70<<10)...), quietReads + 2, 0},
		"events, the smallest of them": {bytes.Repeat([]byte("data\n\n"), 20_000), quietReads + 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 3 * smallBuffer // two buffers, and all the rest
			if got := heldWhenQuiet(t, test.busy, test.heartbeats, test.pieces); got > most {
				t.Errorf("a connection holds %d bytes, want at most %d", got, most)
			}
		})
	}
}

// heldWhenQuiet returns how much memory a readAhead and its subscriber hold while they wait for more than
// what busy and so many heartbeats gave them.
func heldWhenQuiet(t *testing.T, busy []byte, heartbeats, pieces int) (held int) {
	const connections = 32
	synctest.Test(t, func(t *testing.T) {
		before := heap()
		end := make(chan struct{})
		var subscribers sync.WaitGroup
		for range connections {
			beats := 0
			quiet := readerFunc(func(p []byte) (int, error) {
				if beats++; beats > heartbeats {
					<-end
					return 0, io.EOF
				}
				time.Sleep(time.Minute)
				return copy(p, ":\n"), nil
			})
			a := newReadAhead(io.MultiReader(bytes.NewReader(busy), quiet), ScanOptions{Session: new(Session)}, pieces)
			subscribers.Go(func() {
				defer a.close()
				for b := a.take(batch{}); b.err == nil; {
					b = a.take(b)
				}
			})
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		held = (heap() - before) / connections
		close(end)
		subscribers.Wait()
	})
	return held
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestReadAheadAfterAHugeEvent: its buffer goes with the event, and not with a later read. The capacity that
// a reader sees tells what is kept.
func TestReadAheadAfterAHugeEvent(t *testing.T) {
	kept := make(chan int)
	stream := io.MultiReader(
		strings.NewReader("data: "+strings.Repeat("x", 2<<20)+"\n\n"),
		readerFunc(func(p []byte) (int, error) {
			kept <- cap(p)
			return 0, io.EOF
		}))
	a := newReadAhead(stream, ScanOptions{Session: new(Session)}, 0)
	defer a.close()
	for b := (batch{}); len(b.events) == 0; {
		b = a.take(b)
	}
	if n := <-kept; n > busyBuffer { // the event is still in use
		t.Errorf("the next read is into a buffer of %d bytes", n)
	}
}

// TestReadAheadIsBounded: whatever comes while the subscriber has an event, there are two buffers at most.
func TestReadAheadIsBounded(t *testing.T) {
	const limit = 4 << 20
	largest := "data: " + strings.Repeat("x", limit-len("data: ")) + "\n\n"
	for name, block := range map[string]string{
		"the largest events":              largest,
		"a line without end":              "x",
		"an event of many lines":          "data: x\n",
		"events that just need a buffer":  "data: " + largest[:hugeBuffer/2] + "\n\n",
		"events that outgrow what stays":  "data: " + largest[:hugeBuffer] + "\n\n",
		"the largest and a small in turn": largest + string(patchEvent),
		"the smallest events":             "data\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := heap()
				a := newReadAhead(io.MultiReader(strings.NewReader(largest), &endless{block: block}), ScanOptions{MaxEventSize: limit, Session: new(Session)}, 0)
				b := batch{}
				for len(b.events) == 0 {
					b = a.take(b)
				}
				synctest.Wait()
				if held := heap() - before; held > 2*(limit+busyBuffer) {
					t.Errorf("%d bytes are held", held)
				}
				runtime.KeepAlive(b)
				a.close()
			})
		})
	}
}

// TestReadAheadClosedWhileItWaits for a buffer, when nobody takes what has been read.
func TestReadAheadClosedWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := 0
		a := newReadAhead(readerFunc(func(p []byte) (int, error) {
			n := copy(p, patchEvent)
			read += n
			return n, nil
		}), ScanOptions{Session: new(Session)}, 0)
		synctest.Wait()
		if read < smallBuffer || read > 4*busyBuffer {
			t.Errorf("%d bytes were read ahead", read)
		}
		a.close()
	})
}
