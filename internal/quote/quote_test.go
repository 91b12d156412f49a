package quote_test

import (
	"testing"

	"github.com/relaystream/autoconfig/internal/quote"
)

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"":              "",
		"a name, naïve": "a name, naïve",
		"a\nb":          `"a\nb"`,
		"a\x1b[2J":      `"a\x1b[2J"`,
		"a\u2028b":      `"a\u2028b"`,
		"a\xff":         `"a\xff"`,
		`"quoted"`:      `"\"quoted\""`,
	} {
		if got := quote.Line(s); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

func TestIsName(t *testing.T) {
	for s, want := range map[string]bool{
		"put": true, "payload_event": true, "event-stream": true, "problem+json": true, "mp4": true, "x.y": true,
		"": false, "a b": false, "a/b": false, "a\n": false, "naïve": false, "put data: {": false,
		"sdk-00000000-1111": false, "abcdefghijklmnopqrstuvwxy": false,
	} {
		if quote.IsName(s) != want {
			t.Errorf("%q: %t", s, !want)
		}
	}
}
