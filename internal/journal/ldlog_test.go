package journal

import (
	"log/slog"
	"slices"
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
	log = log.With("a", 1).WithGroup("g").With("b", 2).WithGroup("")
	log.Warn("message", "k", decode.SDKKey("sdk-secret-1234"), "v", logValuer{})
	log.WithGroup("h").Info("nested", "c", "d")
	expectLD(t, mock,
		ldlogtest.MockLogItem{Level: ldlog.Warn, Message: "AutoConfiguration: message a=1 g.b=2 g.k=***1234 g.v=resolved"},
		ldlogtest.MockLogItem{Level: ldlog.Info, Message: "AutoConfiguration: nested a=1 g.b=2 g.h.c=d"})
}

type logValuer struct{}

func (logValuer) LogValue() slog.Value { return slog.StringValue("resolved") }

// TestLDHandlerLevels are those of slog, and whatever lies between two of them is the lower one.
func TestLDHandlerLevels(t *testing.T) {
	mock := ldlogtest.NewMockLog()
	mock.Loggers.SetMinLevel(ldlog.Info)
	log := LDLogger(mock.Loggers)
	var want []ldlogtest.MockLogItem
	for level, ld := range map[slog.Level]ldlog.LogLevel{
		slog.LevelDebug: ldlog.Debug, slog.LevelInfo: ldlog.Info, slog.LevelWarn - 1: ldlog.Info, slog.LevelWarn: ldlog.Warn,
		slog.LevelError: ldlog.Error, slog.LevelError + 4: ldlog.Error,
	} {
		log.Log(t.Context(), level, "m")
		if got := log.Enabled(t.Context(), level); got != (ld >= ldlog.Info) {
			t.Errorf("%v: enabled is %t", level, got)
		}
		if ld >= ldlog.Info {
			want = append(want, ldlogtest.MockLogItem{Level: ld, Message: "AutoConfiguration: m"})
		}
	}
	expectLD(t, mock, want...)
}

func expectLD(t *testing.T, mock *ldlogtest.MockLog, want ...ldlogtest.MockLogItem) {
	t.Helper()
	if got := mock.GetAllOutput(); !slices.Equal(got, want) {
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
