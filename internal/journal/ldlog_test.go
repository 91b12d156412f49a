package journal

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"

	"github.com/relaystream/autoconfig/decode"
)

// TestLDHandlerIsASlogHandler, as far as one line of text can be: attributes and groups that come with
// the logger, and values that say themselves how they are logged.
func TestLDHandlerIsASlogHandler(t *testing.T) {
	mock := ldlogtest.NewMockLog()
	log := LDLogger(mock.Loggers)
	log.With("a", 1).WithGroup("g").With("b", 2).WithGroup("").With("k", decode.SDKKey("sdk-secret-1234")).Warn("message", "c", "d")
	log.Info("after")
	want := []ldlogtest.MockLogItem{
		{Level: ldlog.Warn, Message: "AutoConfiguration: message a=1 g.b=2 g.k=***1234 g.c=d"},
		{Level: ldlog.Info, Message: "AutoConfiguration: after"},
	}
	got := mock.GetAllOutput()
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestLDHandlerQuotes what slog.TextHandler does, so that a name can't forge a line or an attribute.
func TestLDHandlerQuotes(t *testing.T) {
	for _, value := range []string{
		"plain", "", "Env 1", "x\nERROR: forged line", "x\r", "\x1b[2K", "x error=none", "a=b", `say "x"`, `back\slash`, "Größe",
		"\u2028", "\u00a0", "\u202e", "\xff", "\ufffd", "\x00",
	} {
		mock := ldlogtest.NewMockLog()
		LDLogger(mock.Loggers).Info("m", "name", value)
		var text strings.Builder
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "name", value)
		_, want, _ := strings.Cut(text.String(), "msg=")
		if got := mock.GetOutput(ldlog.Info); len(got) != 1 || got[0] != "AutoConfiguration: "+strings.TrimSuffix(want, "\n") {
			t.Errorf("%q is logged as %q, want %q", value, got, want)
		}
	}
}
