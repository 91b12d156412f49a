package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/relaystream/autoconfig/stream/sse"
)

// An arrival is an event's body that arrives in pieces of the given sizes, over and over, and ends with err.
type arrival struct {
	data  []byte
	sizes []byte
	err   error
	reads int
}

func (a *arrival) Read(p []byte) (int, error) {
	if len(a.data) == 0 {
		return 0, a.err
	}
	n := len(a.data)
	if len(a.sizes) > 0 {
		n = min(n, 1+int(a.sizes[a.reads%len(a.sizes)]))
	}
	a.reads++
	n = copy(p, a.data[:n])
	a.data = a.data[n:]
	return n, nil
}

// FuzzPieces holds events that arrive in pieces to the same events in one, value for value and error for error, with
// windows that are too small for anything, and with environments that are known.
func FuzzPieces(f *testing.F) {
	for i, seed := range corpus(f) {
		f.Add(seed.event, seed.data, []byte{byte(1 + i%7), byte(i % 3)}, uint8(i))
	}
	both := func(environments string) []byte {
		return []byte(`{"path":"/","data":{"environments":{` + environments + `},"filters":{"f":{"version":1},"f":7}}}`)
	}
	newer, older := strings.Replace(plainEnvironment, ":7}", ":8}", 1), strings.Replace(plainEnvironment, ":7}", ":6}", 1)
	for _, environments := range []string{
		`"e1":` + plainEnvironment + `,"e1":` + newer, `"e1":` + newer + `,"e1":` + plainEnvironment,
		`"e1":` + older + `,"e1":` + plainEnvironment, `"e1":` + plainEnvironment + `,"e1":` + older,
		`"e1":` + plainEnvironment + `,"e1":{"version":-1}`, `"e1":{"version":-1},"e1":` + plainEnvironment,
		`"e1":` + plainEnvironment + `,"e1":` + newer + `,"e1":` + plainEnvironment + `,"e2":` + relayOrder,
	} {
		f.Add(uint8(0), both(environments), []byte{5}, uint8(9))
		f.Add(uint8(0), []byte(`{"data":{"environments":null},`+string(both(environments)[1:])), []byte{3}, uint8(1))
	}
	f.Add(uint8(0), []byte(`{"path":123456789}`), []byte{0}, uint8(1)) // a mistake whose offset is known only at its end
	f.Fuzz(func(t *testing.T, event uint8, data, sizes []byte, window uint8) {
		name := [...]string{PutEvent, PatchEvent, DeleteEvent, ReconnectEvent, "other"}[event%5]
		known := receiver{}
		if m, err := newDecoder(nil).decode(PatchEvent, patchOf(plainEnvironment)); err == nil && window%2 == 1 {
			known.receive(m)
		}
		whole, pieces := newDecoder(&Options{Known: known.find}), newDecoder(&Options{Known: known.find})
		pieces.in.size = 4 + int(window)
		want, wantErr := whole.decode(name, data)
		broken := &arrival{data: data[:len(data)*int(window)/255], sizes: sizes, err: io.ErrUnexpectedEOF}
		if got, err := pieces.message(&sse.Event{Type: name, Body: broken}); err != errIncomplete || !reflect.DeepEqual(got, Message{}) {
			t.Fatalf("broken off: %s, %v", summary(got), err)
		}
		got, err := pieces.message(&sse.Event{Type: name, Body: &arrival{data: data, sizes: sizes, err: io.EOF}})
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(err, wantErr) || pieces.unusual != whole.unusual {
			t.Fatalf("got  %s, %v, %d unusual\nwant %s, %v, %d", summary(got), err, pieces.unusual, summary(want), wantErr, whole.unusual)
		}
	})
}

// putOfMany returns a put of n environments in any form.
func putOfMany(n int) []byte {
	var put bytes.Buffer
	put.WriteString(`{"path":"/","data":{"environments":{`)
	for i := range n {
		if i > 0 {
			put.WriteString(",")
		}
		id := fmt.Sprintf(`"e%d"`, i)
		e := strings.Replace([...]string{plainEnvironment, relayOrder}[i%2], `"e1"`, id, 1)
		if i%5 == 0 {
			e = strings.Replace(e, "envKey", "EnvKey", 1)
		}
		put.WriteString(id + ":" + e)
	}
	put.WriteString(`},"future":{"x":[` + strings.Repeat(" 1,", 100_000) + `2]}}}`)
	return put.Bytes()
}

// TestPiecesOfALargePut decodes a put that is much larger than its window, and has one part that is larger.
func TestPiecesOfALargePut(t *testing.T) {
	put := putOfMany(3000)
	want, err := newDecoder(nil).decode(PutEvent, put)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []io.Reader{bytes.NewReader(put), iotest.OneByteReader(bytes.NewReader(put)), iotest.DataErrReader(bytes.NewReader(put))} {
		d := newDecoder(nil)
		got, err := d.message(&sse.Event{Type: PutEvent, Body: body})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
		if d.forget(); d.in.buf != nil || d.in.data != nil {
			t.Error("the window is kept")
		}
	}
}

// TestEventThatBreaksOff: it leaves no trace, and the messages end as the events do. Each kind of event is complete
// but for its end.
func TestEventThatBreaksOff(t *testing.T) {
	fault := errors.New("fault")
	for event, data := range map[string]string{
		PutEvent: string(putOfMany(10)), PatchEvent: string(patchOf(plainEnvironment)), DeleteEvent: `{"path":"/environments/e1","version":1}`,
		ReconnectEvent: "{}", "other": "{}",
	} {
		for _, data := range []string{data, data[:len(data)/2], "x"} {
			broken := sse.Event{Type: event, Body: &arrival{data: []byte(data), err: fault}}
			events := func(_ context.Context, yield func(sse.Event) bool) error {
				if !yield(broken) {
					t.Errorf("%s: yield has stopped", event)
				}
				return fault
			}
			unusual := 0
			messages, err := Messages(events, &Options{OnUnusual: func(n int) { unusual += n }}).Count(t.Context())
			if messages != 0 || unusual != 0 || err != fault {
				t.Errorf("%s: %d messages, %v", event, messages, err)
			}
		}
	}
}

// TestPutTakesAsMuchMemoryAsItBrings decodes puts in which nothing is new, of which one is ten times as large.
func TestPutTakesAsMuchMemoryAsItBrings(t *testing.T) {
	allocated := func(n int) uint64 {
		put := putOfMany(n)
		m, err := newDecoder(nil).decode(PutEvent, put)
		if err != nil {
			t.Fatal(err)
		}
		known := receiver{}
		known.receive(m)
		d := newDecoder(&Options{Known: known.find})
		return bytesAllocated(func() {
			got, err := d.message(&sse.Event{Type: PutEvent, Body: bytes.NewReader(put)})
			if err != nil || got.Put.Unchanged.Len() != n {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	if less, more := allocated(1000), allocated(10_000); more-less > 9000*16 {
		t.Errorf("%d bytes for an environment", (more-less)/9000)
	}
}

// TestUselessPutIsNotHeld: once it is known to be malformed, or nobody waits for it, the rest is skipped.
func TestUselessPutIsNotHeld(t *testing.T) {
	const beginning = `{"path":"/","data":{"environments":{`
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		put  string
		ctx  context.Context
		want func(error) bool
	}{
		{beginning + `x` + strings.Repeat(" ", 8<<20), t.Context(), func(err error) bool { return errors.As(err, new(*MalformedError)) }},
		{beginning + `"e1":{"x":"` + strings.Repeat("x", 8<<20), ended, func(err error) bool { return err == context.Canceled }},
	} {
		body := strings.NewReader(test.put)
		n := bytesAllocated(func() {
			d := newDecoder(nil)
			d.budget.ctx = test.ctx
			if _, err := d.message(&sse.Event{Type: PutEvent, Body: body}); !test.want(err) {
				t.Error(err)
			}
		})
		if n > 1<<20 {
			t.Errorf("%.50s: %d bytes are allocated", test.put, n)
		}
	}
}

// bytesAllocated returns how many bytes f allocates.
func bytesAllocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
