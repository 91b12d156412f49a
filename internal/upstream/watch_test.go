package upstream

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestWatch sees an event once: at once, or at the end of its body, and not if that fails.
func TestWatch(t *testing.T) {
	fault := errors.New("fault")
	for _, keep := range []bool{true, false} {
		for _, test := range []struct {
			event sse.Event
			want  string
			err   error
		}{
			{event: sse.Event{Type: "a", Data: []byte("data")}, want: "data"},
			{event: sse.Event{Type: "a", Body: iotest.DataErrReader(strings.NewReader("body"))}, want: map[bool]string{true: "body"}[keep]},
			{event: sse.Event{Type: "a", Body: io.MultiReader(strings.NewReader("bo"), iotest.ErrReader(fault))}, err: fault},
		} {
			var seen []sse.Event
			watched := Watch(stream.Just(test.event), func() bool { return keep }, func(e sse.Event) { seen = append(seen, e) })
			err := watched(t.Context(), func(e sse.Event) bool {
				if (len(seen) > 0) != (e.Body == nil) {
					t.Errorf("%d seen before it is read", len(seen))
				}
				for range 2 {
					if e.Body == nil {
						continue
					}
					if _, err := io.Copy(io.Discard, e.Body); err != test.err {
						t.Errorf("%v, want %v", err, test.err)
					}
				}
				return true
			})
			if err != nil || test.err != nil && len(seen) != 0 {
				t.Errorf("%d seen, %v", len(seen), err)
			}
			if test.err == nil && (len(seen) != 1 || string(seen[0].Data) != test.want || seen[0].Body != nil || seen[0].Type != "a") {
				t.Errorf("keep %t: %v, want %q", keep, seen, test.want)
			}
		}
	}
}
