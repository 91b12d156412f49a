package autoconfig

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/internal/tally"
)

// BenchmarkCounting sets what is counted for one patch, if it comes by itself as most do, against all
// that is done with it: "patch" includes "counting".
func BenchmarkCounting(b *testing.B) {
	b.Run("counting", func(b *testing.B) {
		c := tally.New()
		for b.Loop() {
			c.Read(400)
			c.Events.Add(1)
			c.Changed(EnvironmentUpdated)
		}
	})
	b.Run("patch", func(b *testing.B) {
		transport := roundTripper(func(*http.Request) (*http.Response, error) {
			header := http.Header{"Content-Type": {"text/event-stream"}}
			return &http.Response{StatusCode: http.StatusOK, Header: header, Body: new(patches)}, nil
		})
		changes := Observe("key", &Options{HTTPClient: &http.Client{Transport: transport}, Logger: slog.New(slog.DiscardHandler)})
		b.ReportAllocs()
		n := 0
		if err := changes(b.Context(), func(Change) bool { n++; return n < b.N }); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkStats is what a look at the counts costs, which is taken under the locks that the changes
// need: with a thousand subscribers.
func BenchmarkStats(b *testing.B) {
	s, err := (*Options)(nil).resolve("key")
	if err != nil {
		b.Fatal(err)
	}
	c := newClient(s)
	ctx, cancel := context.WithCancel(b.Context())
	const subscribers = 1000
	ended := make(chan error)
	for range subscribers {
		go func() { ended <- c.Changes()(ctx, func(Change) bool { return true }) }()
	}
	for len(c.changes.Subscribers()) < subscribers {
		time.Sleep(time.Millisecond)
	}
	for b.Loop() {
		_ = c.Stats()
	}
	cancel()
	for range subscribers {
		<-ended
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// patches is the body of a response: an empty put, and then patches of one environment without end,
// one at a read.
type patches struct {
	version int
	event   []byte
}

func (p *patches) Read(b []byte) (int, error) {
	if p.version == 0 {
		p.version++
		return copy(b, "event: put\ndata: {\"path\":\"/\",\"data\":{\"environments\":{}}}\n\n"), nil
	}
	p.event = append(p.event[:0], patchHead...)
	p.event = strconv.AppendInt(p.event, int64(p.version), 10)
	p.event = append(p.event, "}}\n\n"...)
	p.version++
	if len(p.event) > len(b) {
		return 0, io.ErrShortBuffer
	}
	return copy(b, p.event), nil
}

func (p *patches) Close() error { return nil }

var patchHead = fmt.Sprintf(`event: patch
data: {"path":"/environments/%[1]s","data":{"envID":"%[1]s","envKey":"production","envName":"Production",`+
	`"projKey":"default","projName":"Default","mobKey":"mob-%[2]s","sdkKey":{"value":"sdk-%[2]s"},`+
	`"defaultTtl":5,"secureMode":true,"version":`, "507f1f77bcf86cd799439011", "01234567-89ab-cdef-0123-456789abcdef")
