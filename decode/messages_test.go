package decode

import (
	"testing"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestWrongOptionsPanicAtTheCall checks that Messages panics, and not the subscription.
func TestWrongOptionsPanicAtTheCall(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	Messages(stream.Never[sse.Event](), &Options{MaxListed: -1})
}

// TestKindsHaveNames checks the names of all kinds and of one that does not exist.
func TestKindsHaveNames(t *testing.T) {
	names := map[string]bool{}
	for k := range Delete + 2 {
		names[k.String()] = true
	}
	if len(names) != int(Delete)+2 || names[""] {
		t.Error(names)
	}
}
