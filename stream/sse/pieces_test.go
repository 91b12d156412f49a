package sse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// newReading returns the reading of a connection whose response is r.
func newReading(t *testing.T, r io.Reader, o ConnectOptions) *reading {
	opts, err := o.resolve()
	if err != nil {
		t.Fatal(err)
	}
	if opts.Session == nil {
		opts.Session = new(Session)
	}
	ahead := newReadAhead(r, ScanOptions{MaxEventSize: opts.MaxEventSize, Session: opts.Session, Comments: opts.Comments}, opts.Pieces)
	t.Cleanup(ahead.close)
	idle := time.NewTimer(time.Hour)
	t.Cleanup(func() { idle.Stop() })
	return &reading{ConnectOptions: &opts, ctx: t.Context(), ahead: ahead, idle: idle}
}

// readPieces is scanAll with events in pieces, which it puts together, and without comments. It yields to the goroutine that reads ahead, so
// that this has time to write where it must not.
func readPieces(t *testing.T, r io.Reader, o ConnectOptions, read func(body io.Reader) ([]byte, error)) (out outcome, inPieces []bool) {
	reading := newReading(t, r, o)
	err := reading.run(func(e Event) bool {
		runtime.Gosched()
		if e.IsComment() {
			return true
		}
		whole := e.Body == nil
		if !whole {
			data, err := read(e.Body)
			if err != nil {
				return true
			}
			e.Data, e.Body, e.LastEventID = data, nil, reading.Session.LastEventID
		}
		out.Events, inPieces = append(out.Events, e.Clone()), append(inPieces, !whole)
		return true
	})
	if err != ErrEndOfStream {
		out.Err = err
	}
	out.Session = *reading.Session
	out.Session.huge = 0
	return out, inPieces
}

// FuzzPieces holds events in pieces to the reference, however the input is cut and whatever the limits.
func FuzzPieces(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(bytes.Join(v.chunks(f), nil), []byte{1}, uint16(1<<15), uint8(1))
	}
	for _, end := range []string{"\n", "\r", "\r\n"} {
		lines := strings.NewReplacer("\n", end).Replace
		for _, cuts := range [][]byte{{1}, {2, 3}, {7}, {200}} {
			f.Add([]byte(lines("event: a\ndata: 01234567\ndata:\ndata\ndata:  89\n\nevent: b\ndata:x\n\n")), cuts, uint16(100), uint8(2))
			f.Add([]byte(lines("id: 1\nevent: a\ndata: 0123\n: comment\nid: 2\nretry: 5\ndata: 4567\nid: \x00\n\ndata: z\n\n")), cuts, uint16(100), uint8(3))
			f.Add([]byte(lines("event: a\ndata: 0123456789\nid: 3\nretry: 7\n")), cuts, uint16(100), uint8(1))
			f.Add([]byte(lines("event: a\ndata: 0123456789\nevent: a\n\nevent: a\ndata: 0123456789\nevent: b\n\n")), cuts, uint16(100), uint8(1))
			f.Add([]byte(lines("event: a\ndata: 0123\ndata: 456789\n\n")), cuts, uint16(16), uint8(1))
		}
	}
	f.Fuzz(func(t *testing.T, input, cuts []byte, limit uint16, pieces uint8) {
		want := reference(string(input), "old", max(int(limit), 1), false)
		reads := map[string]func(io.Reader) ([]byte, error){
			"all": io.ReadAll, "bytes": func(body io.Reader) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(body)) },
		}
		for name, read := range reads {
			o := ConnectOptions{MaxEventSize: max(int(limit), 1), Session: &Session{LastEventID: "old"}, Pieces: max(int(pieces), 1), Borrow: true, Comments: true}
			got, inPieces := readPieces(t, &chunkReader{chunks: cut(input, cuts)}, o, read)
			want := want
			want.Events = slices.Clone(want.Events)
			for i := range min(len(inPieces), len(want.Events)) {
				if inPieces[i] { // the event tells what came before its first piece
					got.Events[i].Retry, got.Events[i].HasRetry = want.Events[i].Retry, want.Events[i].HasRetry
				}
			}
			if got.Err == ErrLateType { // the reference reads on
				want.Err, want.Session = ErrLateType, got.Session
				want.Events = want.Events[:min(len(want.Events), len(got.Events))]
			}
			if len(want.Events) == 0 {
				want.Events = nil
			}
			t.Log(name)
			diff(t, got, want)
		}
	})
}

// manyLines is an event with so many bytes of data, in lines of all lengths, and the data.
func manyLines(rng *rand.Rand, n int) (block, data string) {
	var b, d strings.Builder
	b.WriteString("event: big\n")
	for d.Len() < n {
		line := strings.Repeat(string('a'+rune(rng.IntN(26))), 1<<rng.IntN(18))
		fmt.Fprintf(&b, "data: %s\n", line)
		d.WriteString(line + "\n")
	}
	return b.String() + "\n", strings.TrimSuffix(d.String(), "\n")
}

// TestPieces reads large events in pieces, and small ones between them, in reads of all sizes.
func TestPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	var input bytes.Buffer
	var want []string
	for range 20 {
		block, data := manyLines(rng, 1<<20)
		input.WriteString(block + "data: small\n\n")
		want = append(want, data, "small")
	}
	var chunks [][]byte
	for rest := input.Bytes(); len(rest) > 0; {
		n := min(1<<rng.IntN(18), len(rest))
		chunks, rest = append(chunks, rest[:n]), rest[n:]
	}
	got, inPieces := readPieces(t, &chunkReader{chunks: chunks}, ConnectOptions{Pieces: 32 << 10}, io.ReadAll)
	if len(got.Events) != len(want) {
		t.Fatalf("%d events, want %d", len(got.Events), len(want))
	}
	for i, e := range got.Events {
		if string(e.Data) != want[i] || inPieces[i] != (want[i] != "small") {
			t.Errorf("event %d has %d bytes, want %d, or others, or is in pieces: %t", i, len(e.Data), len(want[i]), inPieces[i])
		}
	}
}

// TestPiecesOption: 0 is the default, no pieces, and a negative number is an error.
func TestPiecesOption(t *testing.T) {
	input := "event: a\ndata: " + strings.Repeat("x", 1<<20) + "\n\n"
	if got, inPieces := readPieces(t, strings.NewReader(input), ConnectOptions{}, io.ReadAll); len(got.Events) != 1 || inPieces[0] {
		t.Errorf("%d events, in pieces: %t", len(got.Events), inPieces)
	}
	err := Connect(requestTo("http://127.0.0.1/"), &ConnectOptions{Pieces: -1})(t.Context(), func(Event) bool { return true })
	if !errors.Is(err, ErrInvalidOption) {
		t.Error(err)
	}
}

// TestPiecesBegin when the option's number of bytes of data is there, whatever else the event has.
func TestPiecesBegin(t *testing.T) {
	comment := ":" + strings.Repeat("-", 200)
	for data, want := range map[int]bool{99: false, 100: true} {
		for _, test := range [][]string{
			{"event: a\ndata: " + strings.Repeat("x", data), "\n\n"},
			{"event: a\ndata:" + strings.Repeat("x", data), "\n\n"},
			{"event: a\ndata:x\ndata: " + strings.Repeat("x", data-2), "\n\n"}, // and a line feed
			{"event: a\ndata: " + strings.Repeat("x", data) + "\n" + comment, "\n\n"},
		} {
			r := &chunkReader{chunks: [][]byte{[]byte(test[0]), []byte(test[1])}}
			got, inPieces := readPieces(t, r, ConnectOptions{Pieces: 100}, io.ReadAll)
			if len(got.Events) != 1 || len(got.Events[0].Data) != data || inPieces[0] != want {
				t.Errorf("%q: %v, in pieces: %t", test, got.Events, inPieces)
			}
		}
	}
}

// TestPiecesHaveALeastLength, so that they are few however short the reads are.
func TestPiecesHaveALeastLength(t *testing.T) {
	const n, least = 100_000, 1000
	input := "event: a\n" + strings.Repeat("data: "+strings.Repeat("x", 99)+"\n", n/100) + "\n"
	reading := newReading(t, iotest.OneByteReader(strings.NewReader(input)), ConnectOptions{Pieces: least})
	pieces := 0
	for e := reading.next(); e != nil; e = reading.next() {
		if pieces++; e.Body == part(true) && len(e.Data) < least {
			t.Errorf("piece %d has %d bytes", pieces, len(e.Data))
		}
	}
	if pieces < 2 || pieces > n/least+1 {
		t.Errorf("%d pieces", pieces)
	}
}

// TestPiecesChangeTheSession when the event is complete. The event itself has what came before its first piece.
func TestPiecesChangeTheSession(t *testing.T) {
	input := "id: 7\nretry: 5\nevent: a\ndata: " + strings.Repeat("x", 1<<20) + "\nid: 8\nretry: 6"
	for end, want := range map[string]Session{"": {LastEventID: "old"}, "\n\n": {LastEventID: "8", retry: 6 * time.Millisecond, retrySeen: true}} {
		reading := newReading(t, strings.NewReader(input+end), ConnectOptions{Pieces: 1, Session: &Session{LastEventID: "old"}})
		var after Session
		_ = reading.run(func(e Event) bool {
			if e.LastEventID != "7" || !e.HasRetry || e.Retry != 5*time.Millisecond {
				t.Errorf("%v, retry %v", e, e.Retry)
			}
			if _, err := io.CopyN(io.Discard, e.Body, 1<<19); err != nil || *reading.Session != (Session{LastEventID: "old"}) {
				t.Errorf("before its end: %v, %+v", err, *reading.Session)
			}
			if n, err := io.Copy(io.Discard, e.Body); n != 1<<19 || (err == nil) != (end != "") {
				t.Errorf("the rest has %d bytes, %v", n, err)
			}
			after = *reading.Session
			return true
		})
		if after.LastEventID != want.LastEventID || want.retrySeen && after != want {
			t.Errorf("with the end %q: %+v, want %+v", end, after, want)
		}
	}
}

// TestPieceOfAnEventWithoutAName: the name may follow the data, so that such an event is yielded as a whole.
func TestPieceOfAnEventWithoutAName(t *testing.T) {
	data := strings.Repeat("x", 1<<20)
	for _, input := range []string{"data: " + data + "\nevent: a\n\n", "data: " + data + "\n\n"} {
		got, inPieces := readPieces(t, strings.NewReader(input), ConnectOptions{Pieces: 1}, io.ReadAll)
		if len(got.Events) != 1 || inPieces[0] || string(got.Events[0].Data) != data {
			t.Errorf("%v, in pieces: %t", got.Events, inPieces)
		}
	}
}

// TestLateType: an event that is named again behind its first piece ends the stream, unless it is the same name.
func TestLateType(t *testing.T) {
	input := "event: a\ndata: " + strings.Repeat("x", 1<<20) + "\nevent: "
	for name, want := range map[string]error{"a": ErrEndOfStream, "b": ErrLateType, "": ErrLateType} {
		var bodyErr error
		err := newReading(t, strings.NewReader(input+name+"\n\n"), ConnectOptions{Pieces: 1}).run(func(e Event) bool {
			_, bodyErr = io.Copy(io.Discard, e.Body)
			return true
		})
		if err != want || (want == ErrEndOfStream) != (bodyErr == nil) {
			t.Errorf("event %q: %v, body: %v", name, err, bodyErr)
		}
	}
}

// TestPiecesOfAnEventThatBreaksOff: its body ends with an error.
func TestPiecesOfAnEventThatBreaksOff(t *testing.T) {
	large := "event: a\ndata: " + strings.Repeat("x", 1<<20)
	fault := errors.New("fault")
	for _, test := range []struct {
		stream  io.Reader
		limit   int
		bodyErr error
		err     error
	}{
		{strings.NewReader(large), 0, io.ErrUnexpectedEOF, ErrEndOfStream},
		{strings.NewReader(large + "\n"), 0, io.ErrUnexpectedEOF, ErrEndOfStream},
		{io.MultiReader(strings.NewReader(large), iotest.ErrReader(fault)), 0, fault, fault},
		{strings.NewReader(large), 1 << 19, ErrEventTooLarge, ErrEventTooLarge},
		{strings.NewReader(large + "\n\n"), 1 << 19, ErrEventTooLarge, ErrEventTooLarge},
	} {
		var bodyErr error
		err := newReading(t, test.stream, ConnectOptions{Pieces: 1, MaxEventSize: test.limit}).run(func(e Event) bool {
			_, bodyErr = io.Copy(io.Discard, e.Body)
			return true
		})
		if !errors.Is(bodyErr, test.bodyErr) || !errors.Is(err, test.err) {
			t.Errorf("%v, body: %v, want %v and %v", err, bodyErr, test.err, test.bodyErr)
		}
	}
}

// TestBodyThatIsNotRead is skipped, and can't be read later.
func TestBodyThatIsNotRead(t *testing.T) {
	large := "event: a\ndata: " + strings.Repeat("x", 1<<20) + "\n\n"
	var types []string
	var body io.Reader
	err := newReading(t, strings.NewReader(large+"event: b\ndata: small\n\n"+large), ConnectOptions{Pieces: 1 << 10}).run(func(e Event) bool {
		types = append(types, e.Type)
		if e.Body != nil {
			body = e.Body
			_, _ = body.Read(make([]byte, 100))
		}
		return true
	})
	if strings.Join(types, "") != "aba" || err != ErrEndOfStream {
		t.Errorf("%q, %v", types, err)
	}
	if n, err := body.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("a read after the event: %d, %v", n, err)
	}
}

// TestPiecesEndWithTheContext, also while the body waits for the server.
func TestPiecesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		o := ConnectOptions{Pieces: 1, Client: &http.Client{Transport: pipeTransport(new(sync.WaitGroup), answering([]string{okHeader, "event: a\ndata: " + strings.Repeat("x", 1<<10)}))}}
		reason := errors.New("reason")
		time.AfterFunc(time.Minute, func() { cancel(reason) })
		var bodyErr error
		err := Connect(requestTo("http://127.0.0.1/"), &o)(ctx, func(e Event) bool {
			_, bodyErr = io.Copy(io.Discard, e.Body)
			return true
		})
		if err != reason || bodyErr == nil {
			t.Errorf("%v, body: %v", err, bodyErr)
		}
	})
}

// TestPiecesThatAreThereEndWithTheContext: they are not delivered after it. Its cause must not pass for the end of the event.
func TestPiecesThatAreThereEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		input := "event: a\ndata: 0123456789\n\n"
		reading := newReading(t, &chunkReader{chunks: cut([]byte(input), []byte{1})}, ConnectOptions{Pieces: 1})
		reading.ctx = ctx
		synctest.Wait()
		err := reading.run(func(e Event) bool {
			cancel(io.EOF)
			if data, err := io.ReadAll(e.Body); len(data) != 1 || err == nil {
				t.Errorf("%q, %v", data, err)
			}
			return true
		})
		if err != io.EOF {
			t.Error(err)
		}
	})
}

// TestPiecesAreBounded: whatever the size of an event, and however slow its reader is, there are two buffers at most.
func TestPiecesAreBounded(t *testing.T) {
	const most = 4 * busyBuffer
	synctest.Test(t, func(t *testing.T) {
		before := heap()
		stream := io.MultiReader(strings.NewReader("event: a\ndata: "), repeat([]byte("x"), 32<<20), strings.NewReader("\n\n"))
		err := newReading(t, stream, ConnectOptions{Pieces: 32 << 10}).run(func(e Event) bool {
			for i := range 8 {
				if _, err := io.CopyN(io.Discard, e.Body, 4<<20); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if held := heap() - before; held > most {
					t.Errorf("%d bytes are held after %d MiB", held, 4*(i+1))
				}
			}
			return true
		})
		if err != ErrEndOfStream {
			t.Error(err)
		}
	})
}
