package fleet

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
)

// TestDefaults are those that the comments name.
func TestDefaults(t *testing.T) {
	s, err := (*Options)(nil).resolve("rel-key")
	if err != nil {
		t.Fatal(err)
	}
	if s.Bucket != "autoconfig" || s.Lease != 15*time.Second || s.TombstoneTTL != 24*time.Hour || s.secret() != "rel-key" {
		t.Errorf("%+v", s)
	}
	if outage*s.Heartbeat != 25*time.Second || abandoned != 30*time.Second {
		t.Error("the package comment names other limits")
	}
	if s, err = (&Options{Lease: time.Second + 1}).resolve("rel-key"); err != nil || s.Lease != 2*time.Second {
		t.Error("not rounded up to whole seconds", s.Lease, err)
	}
	b := bucket{}
	if c := b.config(0); c.Replicas != 1 {
		t.Errorf("%d replicas", c.Replicas)
	}
}

// TestOptionsHideTheSecret in every form.
func TestOptionsHideTheSecret(t *testing.T) {
	const secret = "a-secret-of-the-fleet"
	o := Options{Secret: secret}
	s, err := o.resolve("rel-the-key-itself")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{o, &o, s, *s, []*Options{&o}, autoconfig.AutoConfigKey(secret)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, secret) || strings.Contains(text, "rel-the") || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s shows the secret: %s", verb, text)
			}
		}
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("options", "value", o, "pointer", &o)
	slog.New(slog.NewTextHandler(&log, nil)).Info("options", "value", o, "pointer", &o)
	if strings.Contains(log.String(), secret) {
		t.Errorf("slog shows the secret: %s", log.String())
	}
}
