package hub_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestNoFormatShowsKeys. The logs of all tests are searched by testkit.Censored.
func TestNoFormatShowsKeys(t *testing.T) {
	h := offline(t, hub.Options{}, 1)
	options := hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}}
	for _, v := range []any{h, options, &options, h.Stats(), h.Readers(), new(hub.Hub)} {
		var logged strings.Builder
		slog.New(slog.NewTextHandler(io.MultiWriter(&logged), nil)).Info("", "value", v)
		for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%s %q %x", v, v, v), logged.String()} {
			for _, secret := range []string{testkit.Key, fmt.Sprintf("%x", testkit.Key), "sdk-", "mob-"} {
				if strings.Contains(text, secret) {
					t.Errorf("%T: %s", v, text)
				}
			}
		}
	}
}
