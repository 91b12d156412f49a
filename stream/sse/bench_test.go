package sse

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/launchdarkly/eventsource"
)

// patchEvent is one patch of 414 bytes on the wire, as the auto-configuration stream sends it.
var patchEvent = func() []byte {
	const head = "event: patch\ndata: "
	const tail = "\n\n"
	const json = `{"path":"/environments/5f1b0e6c7d8e9fa0b1c2d3e4","data":{"envID":"5f1b0e6c7d8e9fa0b1c2d3e4",` +
		`"envKey":"production","envName":"Production","projKey":"storefront","projName":"Storefront",` +
		`"sdkKey":{"value":"sdk-00000000-1111-2222-3333-444444444444"},"mobKey":"mob-00000000-1111-2222-3333-444444444444",` +
		`"defaultTtl":5,"secureMode":false,"version":17,"pad":""}}`
	pad := strings.Repeat("x", 414-len(head)-len(json)-len(tail))
	return []byte(head + strings.Replace(json, `"pad":"`, `"pad":"`+pad, 1) + tail)
}()

// endless repeats a block for n times.
type repeated struct {
	block []byte
	n     int // bytes left
	at    int
}

func repeat(block []byte, n int) *repeated {
	return &repeated{block: bytes.Repeat(block, 64), n: n * len(block)}
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.n > 0 {
		m := copy(p[n:min(len(p), n+r.n)], r.block[r.at:])
		r.at = (r.at + m) % len(r.block)
		r.n -= m
		n += m
	}
	return n, nil
}

func BenchmarkScan(b *testing.B) {
	b.Run("sse", func(b *testing.B) {
		b.SetBytes(int64(len(patchEvent)))
		b.ReportAllocs()
		n := 0
		for _, err := range Scan(repeat(patchEvent, b.N), nil) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != b.N {
			b.Fatalf("%d events of %d", n, b.N)
		}
	})
	b.Run("eventsource", func(b *testing.B) {
		b.SetBytes(int64(len(patchEvent)))
		b.ReportAllocs()
		d := eventsource.NewDecoder(repeat(patchEvent, b.N))
		for range b.N {
			if _, err := d.Decode(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
