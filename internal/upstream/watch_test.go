package upstream

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/relaystream/autoconfig/internal/tap"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestWatch: an event has arrived at once, or at the end of its body, and not if that fails. If somebody observes, it is
// shown as a whole at the same moment.
func TestWatch(t *testing.T) {
	fault := errors.New("fault")
	for _, observed := range []bool{true, false} {
		for _, test := range []struct {
			event sse.Event
			want  string
			err   error
		}{
			{event: sse.Event{Type: "a", Data: []byte("data")}, want: "data"},
			{event: sse.Event{Type: "a", Body: iotest.DataErrReader(strings.NewReader("body"))}, want: "body"},
			{event: sse.Event{Type: "a", Body: io.MultiReader(strings.NewReader("bo"), iotest.ErrReader(fault))}, err: fault},
		} {
			synctest.Test(t, func(t *testing.T) {
				var names []string
				var shown []sse.Event
				observers := tap.New(2, sse.Event.Clone)
				if observed {
					go func() {
						_ = observers.Observe()(t.Context(), func(e sse.Event) bool {
							shown = append(shown, e)
							return true
						})
					}()
					synctest.Wait()
				}
				watched := Watch(stream.Just(test.event), func(name string) { names = append(names, name) }, observers)
				err := watched(t.Context(), func(e sse.Event) bool {
					if (len(names) > 0) != (e.Body == nil) {
						t.Errorf("%d have arrived before the body is read", len(names))
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
				observers.Close(nil)
				synctest.Wait()
				if complete := test.err == nil; err != nil || (len(names) == 1 && names[0] == "a") != complete || (len(shown) == 1) != (complete && observed) {
					t.Errorf("arrived: %q, shown: %d, %v", names, len(shown), err)
				}
				for _, e := range shown {
					if e.Type != "a" || string(e.Data) != test.want || e.Body != nil {
						t.Errorf("%v with %q, want %q", e, e.Data, test.want)
					}
				}
			})
		}
	}
}
