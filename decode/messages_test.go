package decode

import (
	"strings"
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
	for k := range Complete + 2 {
		names[k.String()] = true
	}
	if len(names) != int(Complete)+2 || names[""] {
		t.Error(names)
	}
}

// TestIDsAreQuoted in the text of a message: a line feed in an ID must not begin another line of a log.
func TestIDsAreQuoted(t *testing.T) {
	for _, m := range []Message{
		{Kind: Delete, Environment: EnvironmentEntry{ID: "e1\nforged", Version: 1}},
		{Kind: Delete, Filter: FilterEntry{ID: "f1\nforged", Version: 1}},
		{Kind: Patch, Filter: FilterEntry{ID: "f1\nforged", Err: errNoFilter}},
		{Kind: Omit, Environment: EnvironmentEntry{ID: "e1\nforged"}},
	} {
		if text := m.String(); strings.Contains(text, "\n") {
			t.Errorf("%q has two lines", text)
		}
	}
}
