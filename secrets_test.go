package autoconfig_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

// planted are keys that must not be seen, each with a middle that nothing else has. One is too short to
// show its end.
var planted = struct{ auto, current, expiring, mobile, short string }{
	"rel-AUTOSECRET-0001", "sdk-CURRENTSECRET-0002", "sdk-EXPIRINGSECRET-0003", "mob-MOBILESECRET-0004", "SHRTKEY8",
}

// revealed returns the planted keys of which output shows more than their last four characters.
func revealed(output string) (found []string) {
	for _, middle := range []string{"AUTOSEC", "CURRENTSEC", "EXPIRINGSEC", "MOBILESEC", "RTKEY"} {
		forms := []string{middle, hex.EncodeToString([]byte(middle)), strings.ToUpper(hex.EncodeToString([]byte(middle)))}
		for _, form := range forms {
			if strings.Contains(output, form) {
				found = append(found, form)
			}
		}
	}
	return found
}

func secretEnvironment(version int) autoconfig.EnvironmentRep {
	at := time.Now().Add(time.Hour).UnixMilli()
	e := environment("a", version)
	e.SDKKey = decode.SDKKeyRep{
		Value:    autoconfig.SDKKey(planted.current),
		Expiring: decode.ExpiringKeyRep{Value: autoconfig.SDKKey(planted.expiring), Timestamp: at},
	}
	e.MobKey = autoconfig.MobileKey(planted.mobile)
	e.SDKKeys = []decode.ConcurrentKeyRep[autoconfig.SDKKey]{
		{Value: autoconfig.SDKKey(planted.current)}, {Value: autoconfig.SDKKey(planted.short), Expiry: &at},
	}
	return e
}

// TestNoVerbRevealsAKey formats what holds keys, by itself and inside of other values. Package fmt does
// not ask a type about %p, %T and %w, which go vet reports; these are left out.
func TestNoVerbRevealsAKey(t *testing.T) {
	e := secretEnvironment(1)
	key := autoconfig.AutoConfigKey(planted.auto)
	values := []any{
		key, e, &e, e.SDKKey, e.SDKKeys, e.MobKey, autoconfig.SDKKey(planted.short), autoconfig.Params(&e),
		autoconfig.PutMessageData{Data: listing(e)}, autoconfig.PatchMessageData{Data: e},
		autoconfig.Change{Kind: autoconfig.EnvironmentAdded, New: &e},
		autoconfig.Key{SDKKey: autoconfig.SDKKey(planted.expiring)},
		&autoconfig.Key{MobileKey: autoconfig.MobileKey(planted.mobile)},
		map[autoconfig.SDKKey]autoconfig.MobileKey{e.SDKKey.Value: e.MobKey},
		struct{ Inner any }{[]any{e, key}},
		autoconfig.NewStreamManager(key, "", &secretHandler{}, nil, 0, ldlog.NewDisabledLoggers()),
	}
	for _, value := range values {
		for _, verb := range "vsqxXdtcUbeEfFgGoO" {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "50", ".30"} {
				format := "%" + flags + string(verb)
				if found := revealed(fmt.Sprintf(format, value)); found != nil {
					t.Errorf("%s of a %T shows %q", format, value, found)
				}
			}
		}
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("message", "value", value)
		if found := revealed(text.String()); found != nil {
			t.Errorf("slog's text of a %T shows %q", value, found)
		}
	}
}

type secretHandler struct{ autoconfig.MessageHandler }

// A syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// TestLogsAndStatusesRevealNoKey lets a client and a manager live through much that is worth logging.
func TestLogsAndStatusesRevealNoKey(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *autoconfigtest.Server) {
		srv := autoconfigtest.NewPipeServer(planted.auto)
		defer srv.Close()
		var out syncBuffer
		o := to(srv)
		o.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		srv.Next(autoconfigtest.Status(503), autoconfigtest.Status(401), autoconfigtest.Answer(400, nil, planted.auto), autoconfigtest.Cut(50))
		srv.Put(listing(secretEnvironment(1)))
		client, err := autoconfig.Open(t.Context(), autoconfig.AutoConfigKey(planted.auto), o)
		if err != nil {
			t.Fatal(err)
		}
		statuses, changes := watch(client.Status()), watch(client.Changes())
		pass(time.Hour)
		refused := secretEnvironment(3)
		refused.SDKKeys = refused.SDKKeys[1:]
		srv.Patch(secretEnvironment(2))
		srv.SendEvent("patch", jsonOf(autoconfig.PatchMessageData{Path: "/environments/a", Data: refused}))
		pass(time.Minute)
		srv.SendEvent("patch", `{"path":"/environments/a","data":{"sdkKey":{"value":"`+planted.current)
		pass(time.Minute)
		srv.SendEvent("surprise", planted.current)
		srv.Delete("a", 9)
		pass(2 * time.Hour)
		fmt.Fprintf(&out, "%+v %#v %v", client.Stats(), client, client)
		client.Close()
		for _, s := range statuses.stop() {
			fmt.Fprintf(&out, "%+v %v\n", s, s.Err)
		}
		for _, c := range changes.stop() {
			fmt.Fprintf(&out, "%+v %v %v\n", c, c, c.Fields())
		}
		text := out.buf.String()
		for _, want := range []string{"environment refused", "malformed", "rejected", "deleted"} {
			if !strings.Contains(text, want) {
				t.Errorf("the log does not tell of %q", want)
			}
		}
		if found := revealed(text); found != nil {
			t.Errorf("the output shows %q", found)
		}
	})
}

// TestManagerLogRevealsNoKey is the same for the logger of a StreamManager.
func TestManagerLogRevealsNoKey(t *testing.T) {
	srv := autoconfigtest.NewServer(planted.auto)
	defer srv.Close()
	srv.Put(listing(secretEnvironment(1)))
	log := ldlogtest.NewMockLog()
	log.Loggers.SetMinLevel(ldlog.Debug)
	manager := autoconfig.NewStreamManager(autoconfig.AutoConfigKey(planted.auto), srv.URL, recorder{func(string) {}}, nil, 0, log.Loggers)
	if err := <-manager.Start(); err != nil {
		t.Fatal(err)
	}
	manager.Close()
	if output := fmt.Sprint(log.GetAllOutput()); revealed(output) != nil || !strings.Contains(output, "environment added") {
		t.Error(output)
	}
}
