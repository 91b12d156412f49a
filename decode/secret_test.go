package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const secret = "sdk-0123456789-tail"

// keyed returns a value of each type that contains a key.
func keyed() []any {
	rep := EnvironmentRep{
		SDKKey: SDKKeyRep{secret, ExpiringKeyRep{Value: secret}}, MobKey: secret, Lingering: []ExpiringKeyRep{{Value: secret}},
		SDKKeys: []ConcurrentKeyRep[SDKKey]{{Value: secret}}, MobileKeys: []ConcurrentKeyRep[MobileKey]{{Value: secret}},
	}
	entry := EnvironmentEntry{Rep: &rep}
	listing := Listing{Environments: []EnvironmentEntry{entry}, Unchanged: Unchanged{{&rep}}}
	content := PutContent{Environments: map[EnvironmentID]EnvironmentRep{"e": rep}}
	return []any{
		SDKKey(secret), MobileKey(secret), Key{SDKKey: secret}, Key{MobileKey: secret}, rep, rep.SDKKey, rep.SDKKey.Expiring, rep.SDKKeys[0],
		rep.MobileKeys[0], entry, listing, listing.Unchanged, Message{Kind: Put, Put: &listing}, Message{Kind: Patch, Environment: entry},
		content, PutMessageData{Data: content}, PatchMessageData{Data: rep},
	}
}

// TestMasked formats and logs values that contain a key, alone and inside of other values.
func TestMasked(t *testing.T) {
	for _, value := range keyed() {
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).Info("message", "value", value)
		}
		for _, verb := range "vsqxXdtcUbeEfFgGoO" {
			for _, flags := range []string{"", "+", "#", " ", "-30", ".30"} {
				format := "%" + flags + string(verb) + "\n"
				fmt.Fprintf(&log, strings.Repeat(format, 3), value, []any{value}, struct{ V any }{value})
			}
		}
		for _, revealed := range []string{"0123", "30313233"} {
			if strings.Contains(log.String(), revealed) {
				t.Errorf("a %T is shown:\n%s", value, log.String())
			}
		}
	}
}

// TestTextsAreOneLine: a name in a message can't pass for another line of a log.
func TestTextsAreOneLine(t *testing.T) {
	const forged = "e1\nERROR forged \x1b[2J"
	rep := EnvironmentRep{EnvID: forged}
	reason := ignored(forged, forged, ErrWrongID)
	for _, value := range []any{
		Message{Kind: Patch, Environment: EnvironmentEntry{ID: forged, Rep: &rep}},
		Message{Kind: Delete, Filter: FilterEntry{ID: forged}},
		Message{Err: reason}, EnvironmentEntry{ID: forged, Err: reason}, reason, &RefusedError{ID: forged, Err: ErrAnchor},
		ConcurrentKeyRep[SDKKey]{Key: forged, Value: secret + forged}, Key{SDKKey: secret + "\nERR"}, MobileKey(secret + "\nERR"),
	} {
		if text := fmt.Sprint(value); strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("a %T: %q", value, text)
		}
	}
}

// TestNotMasked checks the limits of masking that the documentation states. If it fails, the documentation may
// promise more.
func TestNotMasked(t *testing.T) {
	for _, value := range keyed() {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("message", "value", []any{value})
		encoded, err := json.Marshal(value)
		if err != nil || !bytes.Contains(encoded, []byte(secret)) || !strings.Contains(log.String(), secret) {
			t.Errorf("a %T: %s\n%s, %v", value, encoded, log.String(), err)
		}
	}
}

// TestEventsThatAreNotNamed: a server that forgets a line feed sends data in the place of a name.
func TestEventsThatAreNotNamed(t *testing.T) {
	for event, want := range map[string]string{"payload_event": "payload_event", `put data: {"sdkKey":{"value":"` + secret: "", secret: ""} {
		m, err := newDecoder(nil).decode(event, nil)
		reason, ok := as[*IgnoredError](m.Err)
		if err != nil || !ok || reason.Event != want || strings.Contains(reason.Error(), secret) {
			t.Errorf("%q: %v, %v", event, m, err)
		}
	}
}
