package decode

import (
	"testing"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestWrongOptionsPanicAtTheCall, where whoever wrote them sees it, and not at a subscription.
func TestWrongOptionsPanicAtTheCall(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	Messages(stream.Never[sse.Event](), &Options{MaxListed: -1})
}

// TestKindsHaveNames: those that there are, and those that there may be.
func TestKindsHaveNames(t *testing.T) {
	names := map[string]bool{}
	for k := range Delete + 2 {
		names[k.String()] = true
	}
	if len(names) != int(Delete)+2 || names[""] {
		t.Error(names)
	}
}
