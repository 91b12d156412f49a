package autoconfigtest_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

// A body ends at exactly the byte that the fault names, in the way that it names.
func TestBodyFaultsAtEachByte(t *testing.T) {
	type fault struct {
		fault func(n int64) autoconfigtest.Fault
		ended func(error) bool // of the error after n bytes
	}
	cut := func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	faults := map[string]fault{
		"cut":   {autoconfigtest.Cut, cut},
		"reset": {autoconfigtest.Reset, func(err error) bool { return isReset(err) }},
		"end":   {autoconfigtest.End, func(err error) bool { return err == nil }},
		"cut while dripping": {func(n int64) autoconfigtest.Fault {
			return autoconfigtest.Chain(autoconfigtest.Cut(n), nil, autoconfigtest.Drip(0))
		}, cut},
		"end of a prefix": {func(n int64) autoconfigtest.Fault {
			return autoconfigtest.Chain(autoconfigtest.Prepend(":\n"), autoconfigtest.End(n-2))
		}, func(err error) bool { return err == nil }},
	}
	for kind, newServer := range kinds {
		for name, fault := range faults {
			t.Run(kind+"/"+name, func(t *testing.T) {
				s := newServer(key)
				defer s.Close()
				s.Put(environments(environment("e1", 1)))
				whole := wholeBody(t, s)
				ended := fault.ended
				if kind == "pipe" && name == "reset" {
					ended = cut
				}
				if name == "end of a prefix" {
					whole = ":\n" + whole
				}
				for _, n := range []int{0, 1, 2, 15, len(whole) - 1, len(whole)} {
					s.Next(fault.fault(int64(n)))
					response := connect(t, s.Client(), s.URL)
					b, err := io.ReadAll(response.Body)
					if want := whole[:max(n, len(whole)-len(strings.TrimPrefix(whole, ":\n")))]; string(b) != want || !ended(err) {
						t.Errorf("n = %d: got %q, %v; want %q", n, b, err, want)
					}
				}
			})
		}
	}
}

func TestStall(t *testing.T) {
	for _, n := range []int64{0, 7} {
		synctest.Test(t, func(t *testing.T) {
			s := autoconfigtest.NewPipeServer(key)
			defer s.Close()
			s.Put(environments(environment("e1", 1)))
			s.Next(autoconfigtest.Stall(n))
			response := connect(t, s.Client(), s.URL)
			if _, err := io.ReadFull(response.Body, make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			more := make(chan error, 1)
			go func() {
				_, err := response.Body.Read(make([]byte, 1))
				more <- err
			}()
			synctest.Wait()
			select {
			case err := <-more:
				t.Errorf("n = %d: more came: %v", n, err)
			default:
			}
			if got := s.Connections(); got != 1 {
				t.Errorf("n = %d: %d open connections, want the stalled one", n, got)
			}
			s.CloseConnections()
			if err := <-more; !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("n = %d: after the end: %v", n, err)
			}
		})
	}
}

func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		s.Next(autoconfigtest.Hang())
		transport := s.Client().Transport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = time.Minute
		start := time.Now()
		response, err := transport.RoundTrip(newRequest(t.Context(), t, s.URL))
		if err == nil {
			_ = response.Body.Close()
			t.Fatal("got an answer")
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("the client gave up after %v", waited)
		}
		if status := s.Requests()[0].Status; status != 0 {
			t.Errorf("recorded status %d for no answer", status)
		}
	})
}

func TestDripWaitsBetweenBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		s.Put(environments(environment("e1", 1)))
		s.Next(autoconfigtest.Chain(autoconfigtest.End(10), autoconfigtest.Drip(time.Second)))
		response := connect(t, s.Client(), s.URL)
		start := time.Now()
		b, err := io.ReadAll(response.Body)
		if elapsed := time.Since(start); err != nil || len(b) != 10 || elapsed != 9*time.Second {
			t.Errorf("%d bytes, %v in %v; want 10 in 9s", len(b), err, elapsed)
		}
	})
}

// A byte that is flushed by itself arrives in a chunk of one byte.
func TestDripFlushesEachByte(t *testing.T) {
	s := autoconfigtest.NewServer(key)
	defer s.Close()
	s.Put(environments(environment("e1", 1)))
	whole := wholeBody(t, s)
	s.Next(autoconfigtest.Chain(autoconfigtest.End(int64(len(whole))), autoconfigtest.Drip(0)))
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := newRequest(t.Context(), t, s.URL).Write(conn); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; { // the header
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	want := ""
	for i := range len(whole) {
		want += "1\r\n" + whole[i:i+1] + "\r\n"
	}
	want += "0\r\n\r\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestHugeEvent(t *testing.T) {
	const size = 5<<20 + 1
	s := autoconfigtest.NewServer(key)
	defer s.Close()
	s.Next(autoconfigtest.HugeEvent(size))
	response := connect(t, s.Client(), s.URL)
	b := make([]byte, len("event: put\ndata: ")+size+2)
	if _, err := io.ReadFull(response.Body, b); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(b, []byte("x")); got != size || !bytes.HasSuffix(b, []byte("x\n\n")) {
		t.Errorf("got %d bytes of data, want %d", got, size)
	}
}

func TestAnswers(t *testing.T) {
	s := autoconfigtest.NewServer(key)
	defer s.Close()
	other := autoconfigtest.NewServer("another key")
	defer other.Close()
	header := http.Header{"Retry-After": {"7"}}
	s.Next(
		autoconfigtest.Answer(429, header, "later"),
		autoconfigtest.Status(204),
		autoconfigtest.Redirect(other.URL+"/relay_auto_config"),
		autoconfigtest.Header("Content-Type", "text/html"),
		autoconfigtest.Header("content-type", ""),
	)
	header.Set("Retry-After", "8") // has no effect: Answer has copied the header
	want := []string{`429 7 "text/plain; charset=utf-8" "later"`, `204  "" ""`, `401  "text/plain; charset=utf-8" "Unauthorized\n"`, `200  "text/html" ""`, `200  "" ""`}
	for _, want := range want {
		response := connect(t, s.Client(), s.URL)
		s.EndConnections()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		h := response.Header
		if got := fmt.Sprintf("%d %s %q %q", response.StatusCode, h.Get("Retry-After"), h.Get("Content-Type"), body); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for i, want := range []int{429, 204, 307, 200, 200} {
		if got := s.Requests()[i].Status; got != want {
			t.Errorf("recorded status %d, want %d", got, want)
		}
	}
	if n := len(other.Requests()); n != 1 {
		t.Errorf("%d requests at the other server, want 1", n)
	}
}

// Faults work with any handler: it may omit WriteHeader, use http.Flusher, or write after the end.
func TestFaultsOfAnyHandler(t *testing.T) {
	s := autoconfigtest.NewServer(key)
	defer s.Close()
	handler := autoconfigtest.Handle(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "12345")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s.Next(
		autoconfigtest.Chain(autoconfigtest.Header("X", "y"), autoconfigtest.End(8), autoconfigtest.Prepend("0000"), handler),
		autoconfigtest.Chain(autoconfigtest.End(3), autoconfigtest.Header("X", "y"), autoconfigtest.Drip(0), handler),
	)
	for _, want := range []string{"00001234", "123"} {
		response := connect(t, s.Client(), s.URL)
		b, err := io.ReadAll(response.Body)
		if string(b) != want || err != nil || response.Header.Get("X") != "y" {
			t.Errorf("got %q, %v with %v; want %q", b, err, response.Header, want)
		}
	}
	if requests := s.Requests(); requests[0].Status != 200 || requests[1].Status != 200 {
		t.Errorf("recorded %v", requests)
	}
}

func TestMalformedIsNotJSON(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	s.Next(autoconfigtest.Chain(autoconfigtest.End(1000), autoconfigtest.Malformed()))
	response := connect(t, s.Client(), s.URL)
	r := bufio.NewReader(response.Body)
	for _, want := range []string{"event: put\n", `data: {"path":"/","data":{"environments":{` + "\n", "\n"} {
		if got, err := r.ReadString('\n'); got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

// Connections share the bytes that are sent to them, but not their faults.
func TestCorruptChangesOneConnection(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	defer s.Close()
	s.Next(autoconfigtest.Corrupt(0))
	corrupted := newEvents(connect(t, s.Client(), s.URL).Body)
	proper := newEvents(connect(t, s.Client(), s.URL).Body)
	if err := s.AwaitConnections(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	s.SendEvent("name", "data")
	if got := corrupted.mustNext(t); got.name == "name" {
		t.Errorf("got %v, want another name", got)
	}
	if got := proper.mustNext(t); got != (event{"name", "data"}) {
		t.Errorf("got %v on the connection without a fault", got)
	}
}

// An edit doesn't depend on how the body is divided into writes.
func TestEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		messages := rapid.SliceOfN(rapid.StringMatching(`([a-z]{1,5}\n){1,3}\n`), 2, 6).Draw(t, "messages")
		text := strings.Join(messages, "")
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
		to := rapid.IntRange(from, len(text)).Draw(t, "to")
		swap := rapid.IntRange(0, len(messages)-2).Draw(t, "swap")

		corrupted := []byte(text)
		corrupted[at] ^= 0xff
		swapped := append([]string(nil), messages...)
		swapped[swap], swapped[swap+1] = swapped[swap+1], swapped[swap]
		tests := map[string]struct {
			fault autoconfigtest.Fault
			want  string
		}{
			"corrupt": {autoconfigtest.Corrupt(int64(at)), string(corrupted)},
			"repeat":  {autoconfigtest.Repeat(int64(from), int64(to)), text[:to] + text[from:]},
			"swap":    {autoconfigtest.Swap(swap), strings.Join(swapped, "")},
		}
		for name, test := range tests {
			if got := through(t, test.fault, text); got != test.want {
				t.Errorf("%s: got %q, want %q", name, got, test.want)
			}
		}
	})
}

// through returns what a fault makes of text that is written in pieces.
func through(t *rapid.T, fault autoconfigtest.Fault, text string) string {
	w := httptest.NewRecorder()
	fault(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if got, err := io.WriteString(w, rest[:n]); got != n || err != nil {
				t.Errorf("a write of %d bytes returned %d, %v", n, got, err)
			}
			rest = rest[n:]
		}
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	return w.Body.String()
}
