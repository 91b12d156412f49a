package sse

import (
	"bytes"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// readAll is scanAll by way of a readAhead. It looks at the events only after the goroutine had time to
// write where it must not.
func readAll(r io.Reader, limit int, id string) outcome {
	a := newReadAhead(r, limit, &Session{LastEventID: id})
	defer a.close()
	out := outcome{Session: Session{LastEventID: id}}
	for b := (batch{}); ; {
		b = a.take(b)
		for range 3 {
			runtime.Gosched()
		}
		for _, e := range b.events {
			out.Session.passed(&e)
			if e.Type != "" {
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
	if got := readAll(&chunkReader{chunks: chunks}, 0, ""); !reflect.DeepEqual(got, want) { // a diff would take for ever
		t.Errorf("%d events, want %d, or others: %v, want %v", len(got.Events), len(want.Events), got.Session, want.Session)
	}
}

// TestReadAheadOfATrickle: thousands of quiet streams should cost little, also after a busy time.
func TestReadAheadOfATrickle(t *testing.T) {
	chunks := [][]byte{bytes.Repeat(patchEvent, 10_000)}
	chunks = append(chunks, slices.Repeat([][]byte{patchEvent}, 100)...)
	a := newReadAhead(&chunkReader{chunks: chunks}, 0, new(Session))
	b, events := batch{}, 0
	for b.err == nil {
		b = a.take(b)
		events += len(b.events)
	}
	a.close()
	if events != 10_100 || len(a.scanner.buf.bytes) != smallBuffer {
		t.Errorf("%d events, a buffer of %d bytes", events, len(a.scanner.buf.bytes))
	}
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
	a := newReadAhead(stream, 0, new(Session))
	defer a.close()
	for b := (batch{}); len(b.events) == 0; {
		b = a.take(b)
	}
	if n := <-kept; n > busyBuffer { // the event is still in use
		t.Errorf("the next read is into a buffer of %d bytes", n)
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
		}), 0, new(Session))
		synctest.Wait()
		if read < smallBuffer || read > 4*busyBuffer {
			t.Errorf("%d bytes were read ahead", read)
		}
		a.close()
	})
}
