package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

func TestScanNeverAllocatesForAnEvent(t *testing.T) {
	for name, block := range map[string]string{
		"common form":       string(patchEvent),
		"several names":     "event: put\ndata: a\n\nevent: patch\ndata: b\n\ndata: c\n\n",
		"many lines":        "data: a\ndata: b\r\ndata\rdata: d\n\n",
		"same ID and retry": "id: 17\nretry: 1000\ndata: x\n\n",
		"comments":          ": heartbeat\n\ndata: x\n:\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			allocs := func(n int) float64 {
				return testing.AllocsPerRun(3, func() {
					for _, err := range Scan(repeat([]byte(block), n), &ScanOptions{Borrow: true}) {
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			// The first thousands pay for the buffer and the names.
			if few, many := allocs(5_000), allocs(20_000); many > few {
				t.Errorf("%v allocations for 5,000 events, %v for 20,000", few, many)
			}
		})
	}
}

func TestEventSizeLimit(t *testing.T) {
	const limit = 100
	fill := func(n int) string { return strings.Repeat("x", n) }
	for name, test := range map[string]struct {
		input string
		ok    bool
	}{
		"line of the limit":               {"data:" + fill(95) + "\n\n", true},
		"line past the limit":             {"data:" + fill(96) + "\n\n", false},
		"comment past the limit":          {":" + fill(100) + "\n", false},
		"unfinished line of the limit":    {"data:" + fill(95), true},
		"unfinished line past the limit":  {"data:" + fill(96), false},
		"lines of the limit":              {"data:" + fill(40) + "\ndata:" + fill(55) + "\n\n", true},
		"lines past the limit":            {"data:" + fill(40) + "\ndata:" + fill(56) + "\n\n", false},
		"comments between":                {"data:" + fill(90) + "\n" + strings.Repeat(":"+fill(9)+"\n", 50) + "\n", true},
		"many events":                     {strings.Repeat("data:"+fill(95)+"\n\n", 50), true},
		"CRLF does not count":             {"data:" + fill(95) + "\r\n\r\n", true},
		"a block without data":            {strings.Repeat("event:"+fill(90)+"\nid:"+fill(90)+"\n", 5) + "\n", true},
		"the blank line ends the account": {"data:" + fill(95) + "\n\ndata:" + fill(95) + "\n\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			out := scanAll(strings.NewReader(test.input), ScanOptions{MaxEventSize: limit})
			var want error
			if !test.ok {
				want = ErrEventTooLarge
			}
			if out.Err != want {
				t.Errorf("got %v, want %v", out.Err, want)
			}
		})
	}
}

func TestDefaultEventSizeLimit(t *testing.T) {
	line := func(n int) io.Reader {
		return io.MultiReader(strings.NewReader("data:"), repeat([]byte("x"), n-len("data:")), strings.NewReader("\n\n"))
	}
	for _, err := range Scan(line(64<<20), nil) {
		if err != nil {
			t.Error(err)
		}
	}
	var got error
	for _, got = range Scan(line(64<<20+1), nil) {
	}
	if !errors.Is(got, ErrEventTooLarge) {
		t.Errorf("got %v", got)
	}
}

// The largest limit is none. The event is larger than the first buffer.
func TestLargestEventSizeLimit(t *testing.T) {
	out := scanAll(strings.NewReader("data:"+strings.Repeat("x", 2*smallBuffer)+"\n\n"), ScanOptions{MaxEventSize: math.MaxInt})
	if out.Err != nil || len(out.Events) != 1 {
		t.Errorf("%d events, %v", len(out.Events), out.Err)
	}
}

// endless repeats a block for ever, and counts what is read of it.
type endless struct {
	block string
	at    int
	n     int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.block[e.at]
		e.at = (e.at + 1) % len(e.block)
	}
	e.n += len(p)
	return len(p), nil
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 1 << 20
	for name, block := range map[string]string{
		"a line without end":     "x",
		"a comment without end":  ":",
		"data lines without end": "data: x\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := &endless{block: block}
			s := newScanner(r, ScanOptions{MaxEventSize: limit})
			err := s.run(func(Event, error) bool { return true })
			if !errors.Is(err, ErrEventTooLarge) {
				t.Errorf("got %v", err)
			}
			if size := len(s.buf.bytes); size > limit+busyBuffer {
				t.Errorf("the buffer has %d bytes", size)
			}
			if r.n > 10*limit {
				t.Errorf("%d bytes were read before the error", r.n)
			}
		})
	}
	t.Run("comments without end", func(t *testing.T) {
		lines := repeat([]byte(":\n"), limit/4)
		out := scanAll(io.MultiReader(lines, strings.NewReader("data: x\n\n")), ScanOptions{MaxEventSize: 1000})
		if out.Err != nil || len(out.Events) != 1 {
			t.Errorf("%d events, %v", len(out.Events), out.Err)
		}
	})
	t.Run("names without end", func(t *testing.T) {
		var n names
		for i := range 1000 {
			n.intern(fmt.Appendf(nil, "name %d", i))
		}
		n.intern(bytes.Repeat([]byte("x"), maxNameLen+1))
		if len(n.known) > maxNames || n.known[n.next] == "" {
			t.Errorf("%d names", len(n.known))
		}
		for _, name := range n.known {
			if len(name) > maxNameLen {
				t.Errorf("a name of %d bytes is remembered", len(name))
			}
		}
	})
}

// The buffer of a stream that trickles stays small, that of a busy one grows, and that of an event
// that is gone is let go.
func TestBufferSize(t *testing.T) {
	trickle := &chunkReader{}
	for range 1000 {
		trickle.chunks = append(trickle.chunks, patchEvent)
	}
	records := &chunkReader{}
	for range 100 {
		records.chunks = append(records.chunks, bytes.Repeat(patchEvent, 39), patchEvent)
	}
	huge := "data: " + strings.Repeat("x", 3<<20) + "\n\n"
	for name, test := range map[string]struct {
		r    io.Reader
		want int
	}{
		"trickle":    {trickle, smallBuffer},
		"busy":       {repeat(patchEvent, 10_000), busyBuffer},
		"records":    {records, busyBuffer}, // a long read, then a short one for the rest
		"huge event": {io.MultiReader(strings.NewReader(huge), bytes.NewReader(patchEvent)), smallBuffer},
		"unfinished": {strings.NewReader(huge + huge[:2*smallBuffer]), busyBuffer}, // after the huge one
	} {
		t.Run(name, func(t *testing.T) {
			s := newScanner(test.r, ScanOptions{})
			if err := s.run(func(Event, error) bool { return true }); err != nil {
				t.Fatal(err)
			}
			if got := len(s.buf.bytes); got != test.want {
				t.Errorf("%d bytes, want %d", got, test.want)
			}
		})
	}
}

// TestBufferOfABusyStreamStays, for somebody who is behind, also if the events are larger than the first
// buffer.
func TestBufferOfABusyStreamStays(t *testing.T) {
	event := []byte("data: " + strings.Repeat("x", 2*smallBuffer) + "\n\n")
	s := newScanner(&repeated{block: event, left: 1000 * len(event)}, ScanOptions{})
	for size := 0; s.err == nil; size = len(s.buf.bytes) {
		s.buf.makeRoom(s.limit, s.buf.bytes, true)
		if len(s.buf.bytes) < size {
			t.Fatalf("%d bytes become %d", size, len(s.buf.bytes))
		}
		s.err = s.buf.read(s.r)
		_, _ = s.cut(func(Event) bool { return true })
	}
	if len(s.buf.bytes) != aheadBuffer {
		t.Errorf("the buffer has %d bytes", len(s.buf.bytes))
	}
}

// Work is counted rather than timed: a byte moves if its place in memory changes.
func TestWorkIsLinear(t *testing.T) {
	lines := bytes.Repeat([]byte("data: 0123456\r\n"), 100_000)
	line := append(bytes.Repeat([]byte("x"), len(lines)), '\n')
	for name, test := range map[string]struct {
		input []byte
		cuts  []byte
	}{
		"an event of many lines":           {lines, nil},
		"in small reads":                   {lines, []byte{13, 1, 100}},
		"one long line":                    {line, nil},
		"one long line in small reads":     {line, []byte{255}},
		"an event of many lines after one": {append([]byte("data: x\n\n"), lines...), []byte{200}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &chunkReader{chunks: cut(test.input, test.cuts)}
			moved := bytesMoved(r)
			t.Logf("%d bytes, %d moved, %d reads", len(test.input), moved, r.reads)
			if moved > 4*len(test.input) {
				t.Errorf("%d bytes were moved for %d of input", moved, len(test.input))
			}
			if limit := len(test.input)/busyBuffer + 100; test.cuts == nil && r.reads > limit {
				t.Errorf("%d reads, expected at most %d", r.reads, limit)
			}
		})
	}
}

func bytesMoved(r io.Reader) (moved int) {
	s := newScanner(r, ScanOptions{})
	b := &s.buf
	for err := error(nil); err == nil; {
		for line, ok := b.nextLine(); ok; line, ok = b.nextLine() {
			before := b.dataLen()
			if len(line) > 0 {
				s.block.field(line)
			} else {
				s.block.end()
			}
			if before > 0 {
				moved += b.dataLen() - before
			}
		}
		before := *b
		b.makeRoom(s.limit, b.bytes, false)
		fresh := len(before.bytes) != len(b.bytes)
		if fresh || before.data != b.data {
			moved += before.dataLen()
		}
		if fresh || before.next != b.next {
			moved += before.unreadLen()
		}
		err = b.read(r)
	}
	return moved
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	failing := func(p []byte) (int, error) { return copy(p, "data: x\n\ndata: y\n"), broken }
	out := scanAll(readerFunc(failing), ScanOptions{})
	if len(out.Events) != 1 || out.Err != broken {
		t.Errorf("%d events, %v: want what came with the error, then the error", len(out.Events), out.Err)
	}
	out = scanAll(readerFunc(func([]byte) (int, error) { return 0, nil }), ScanOptions{})
	if !errors.Is(out.Err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", out.Err)
	}
	out = scanAll(strings.NewReader("data: x\n\n"), ScanOptions{MaxEventSize: -1})
	if len(out.Events) > 0 || !errors.Is(out.Err, ErrInvalidOption) {
		t.Errorf("a negative limit: %d events, %v", len(out.Events), out.Err)
	}
}

func TestSessionContinues(t *testing.T) {
	var session Session
	if _, ok := session.Retry(); ok || session.LastEventID != "" {
		t.Fatal("the zero value remembers something")
	}
	scanAll(strings.NewReader("retry: 0\nid: 1\n\n"), ScanOptions{Session: &session})
	if retry, ok := session.Retry(); retry != 0 || !ok || session.LastEventID != "1" {
		t.Errorf("after a block without data: %v %v %q", retry, ok, session.LastEventID)
	}
	out := scanAll(strings.NewReader("data: x\n\nretry: 3600001\nid: 2\n"), ScanOptions{Session: &session})
	if id := out.Events[0].LastEventID; id != "1" {
		t.Errorf("the next connection starts with ID %q", id)
	}
	if retry, _ := session.Retry(); retry != time.Hour || session.LastEventID != "1" {
		t.Errorf("after an unfinished block: %v %q", retry, session.LastEventID)
	}
}

// Whoever appends to borrowed data must not reach what follows it in the buffer.
func TestBorrowedDataCanBeAppendedTo(t *testing.T) {
	var clones []Event
	for event := range Scan(strings.NewReader("data: a\n\ndata: b\n\n"), &ScanOptions{Borrow: true}) {
		clones = append(clones, event.Clone())
		_ = append(event.Data, "\n\n\n\n\n"...)
	}
	if len(clones) != 2 || string(clones[0].Data) != "a" || string(clones[1].Data) != "b" {
		t.Errorf("got %v", clones)
	}
}

// Events that are kept stay as they are, however much comes after them.
func TestDataIsOwned(t *testing.T) {
	const n = 20_000
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, ":%d\ndata: %d\n\n", i, i)
	}
	var scanned []Event
	for event := range Scan(strings.NewReader(text.String()), &ScanOptions{Comments: true}) {
		scanned = append(scanned, event)
	}
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { writeStream(w, text.String()) })
	connected, _ := stream.Buffer(Connect(Get(server.URL), &ConnectOptions{Comments: true}), stream.Block[Event](n)).Collect(t.Context())
	for how, events := range map[string][]Event{"Scan": scanned, "Connect": connected} {
		if len(events) != 2*n {
			t.Errorf("%s: %d events", how, len(events))
		}
		for i, e := range events {
			if string(e.Data) != strconv.Itoa(i/2) {
				t.Fatalf("%s: event %d is %q", how, i, e.Data)
			}
		}
	}
}

// The zero Event does not ask for a reconnection at once.
func TestNoRetry(t *testing.T) {
	s := sessionWithRetry(time.Second)
	s.passed(new(Event))
	if d, _ := s.Retry(); d != time.Second {
		t.Errorf("it is %v now", d)
	}
}

func TestEventsHideTheirPayload(t *testing.T) {
	event := Event{Type: "put", Data: []byte("sdk-secret")}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "event", event)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "event", event)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&log, verb+"\n", event)
	}
	for _, form := range []string{"secret", fmt.Sprint([]byte("secret"))[1:], fmt.Sprintf("%x", "secret"), "c2Rr"} {
		if strings.Contains(log.String(), form) {
			t.Errorf("%q shows in:\n%s", form, log.String())
		}
	}
	if got, want := fmt.Sprint(Event{Type: "a\x1b[2J"}), `{"a\x1b[2J", 0 bytes, id ""}`; got != want {
		t.Errorf("got %s, want %s", got, want) // a name must not control a terminal
	}
}
