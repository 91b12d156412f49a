package sse

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/launchdarkly/eventsource"
)

// patchEvent is one patch of 414 bytes on the wire, as the auto-configuration stream sends it.
var patchEvent = func() []byte {
	const data = `{"path":"/environments/5f1b0e6c7d8e9fa0b1c2d3e4","data":{"envID":"5f1b0e6c7d8e9fa0b1c2d3e4",` +
		`"envKey":"production","envName":"*","projKey":"storefront","projName":"Storefront",` +
		`"sdkKey":{"value":"sdk-00000000-1111-2222-3333-444444444444"},"mobKey":"mob-00000000-1111-2222-3333-444444444444",` +
		`"defaultTtl":5,"secureMode":false,"version":17}}`
	event := "event: patch\ndata: " + data + "\n\n"
	return []byte(strings.Replace(event, "*", strings.Repeat("x", 414+1-len(event)), 1))
}()

// repeat returns a reader of the block, n times.
func repeat(block []byte, n int) io.Reader {
	return &repeated{block: bytes.Repeat(block, 64), left: n * len(block)}
}

type repeated struct {
	block []byte
	at    int
	left  int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.left)]
	for n := 0; n < len(p); {
		m := copy(p[n:], r.block[r.at:])
		r.at = (r.at + m) % len(r.block)
		n += m
	}
	r.left -= len(p)
	return len(p), nil
}

// countBench runs f, which has to get b.N patch events from somewhere and to return how many came.
func countBench(b *testing.B, f func(b *testing.B) int) {
	b.SetBytes(int64(len(patchEvent)))
	b.ReportAllocs()
	if n := f(b); n != b.N {
		b.Fatalf("%d events of %d", n, b.N)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/event")
}

// countDecoded is the peer: the decoder that eventsource's own stream uses.
func countDecoded(r io.Reader) (n int) {
	decoder := eventsource.NewDecoder(r)
	for {
		if _, err := decoder.Decode(); err != nil {
			return n
		}
		n++
	}
}

// BenchmarkScan parses patch events from memory.
func BenchmarkScan(b *testing.B) {
	b.Run("sse", func(b *testing.B) {
		countBench(b, func(b *testing.B) (n int) {
			for _, err := range Scan(repeat(patchEvent, b.N), &ScanOptions{Borrow: true}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			return n
		})
	})
	b.Run("eventsource", func(b *testing.B) {
		countBench(b, func(b *testing.B) int { return countDecoded(repeat(patchEvent, b.N)) })
	})
}

// BenchmarkScanHuge parses an event of 30 MiB, for the first time and when its length is known.
func BenchmarkScanHuge(b *testing.B) {
	event := []byte("data: " + strings.Repeat("x", 30<<20) + "\n\n")
	scan := func(b *testing.B, session func() *Session) {
		b.SetBytes(int64(len(event)))
		b.ReportAllocs()
		for b.Loop() {
			for _, err := range Scan(bytes.NewReader(event), &ScanOptions{Session: session(), Borrow: true}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("first", func(b *testing.B) { scan(b, func() *Session { return new(Session) }) })
	b.Run("again", func(b *testing.B) {
		var session Session
		scan(b, func() *Session { return &session })
	})
}

// BenchmarkConnect gets patch events from an HTTP server in the same process over loopback. The
// server's share is in all figures; "discard" has little else.
func BenchmarkConnect(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Content-Type", mediaType)
		_, _ = io.CopyBuffer(struct{ io.Writer }{w}, repeat(patchEvent, n), make([]byte, 64<<10))
	}))
	b.Cleanup(server.Close)
	url := func(b *testing.B) string { return server.URL + "?n=" + strconv.Itoa(b.N) }
	get := func(b *testing.B, use func(io.Reader) int) int {
		client := &http.Client{Transport: newTransport()}
		defer client.CloseIdleConnections()
		resp, err := client.Get(url(b))
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		return use(resp.Body)
	}
	b.Run("sse", func(b *testing.B) {
		countBench(b, func(b *testing.B) (n int) {
			err := Connect(requestTo(url(b)), &ConnectOptions{Borrow: true})(b.Context(), func(Event) bool {
				n++
				return true
			})
			if err != ErrEndOfStream {
				b.Fatal(err)
			}
			return n
		})
	})
	b.Run("discard", func(b *testing.B) {
		countBench(b, func(b *testing.B) int {
			return get(b, func(r io.Reader) int {
				n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 64<<10))
				return int(n) / len(patchEvent)
			})
		})
	})
	b.Run("eventsource", func(b *testing.B) {
		countBench(b, func(b *testing.B) int { return get(b, countDecoded) })
	})
}
