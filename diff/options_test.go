package diff

import (
	"fmt"
	"testing"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
)

// TestWrongOptionsPanicAtTheCall, where whoever wrote them sees it, and not at a subscription.
func TestWrongOptionsPanicAtTheCall(t *testing.T) {
	for name, call := range map[string]func(*Options){
		"NewState": func(o *Options) { NewState(o) },
		"Changes":  func(o *Options) { Changes(stream.Never[decode.Message](), o) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s did not panic", name)
				}
			}()
			call(&Options{MaxTombstones: -1})
		}()
	}
}

// TestZeroStateCanBeShown, because whoever prints a struct may not have filled it yet.
func TestZeroStateCanBeShown(t *testing.T) {
	if got, want := fmt.Sprint(State{}), fmt.Sprint(*NewState(nil)); got != want {
		t.Error(got)
	}
}
