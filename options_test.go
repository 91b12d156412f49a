package autoconfig_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestInvalidOptions checks that wrong options are refused before anything happens, with an error that names
// the option and does not repeat the value, which may be secret.
func TestInvalidOptions(t *testing.T) {
	for _, test := range []struct {
		option string
		why    string
		o      autoconfig.Options
	}{
		{"BaseURI", "no URI", autoconfig.Options{BaseURI: "https://host:port/secret"}},
		{"BaseURI", "no scheme", autoconfig.Options{BaseURI: "stream.example.com/secret"}},
		{"BaseURI", "relative", autoconfig.Options{BaseURI: "/secret"}},
		{"BaseURI", "another scheme", autoconfig.Options{BaseURI: "ftp://example.com/secret"}},
		{"BaseURI", "no host", autoconfig.Options{BaseURI: "https:///secret"}},
		{"BaseURI", "only a port", autoconfig.Options{BaseURI: "https://:443/secret"}},
		{"BaseURI", "opaque", autoconfig.Options{BaseURI: "https:secret"}},
		{"BaseURI", "plain http", autoconfig.Options{BaseURI: "http://example.com/secret"}},
		{"Cache", "nil within", autoconfig.Options{Cache: (*autoconfig.FileCache)(nil)}},
		{"Cache", "without a path", autoconfig.Options{Cache: new(autoconfig.FileCache)}},
		{"ProtocolVersion", "unknown", autoconfig.Options{ProtocolVersion: 3}},
		{"ProtocolVersion", "negative", autoconfig.Options{ProtocolVersion: -1}},
		{"UserAgent", "no header value", autoconfig.Options{UserAgent: "secret\r\nX: y"}},
		{"InitialRetryDelay", "negative", autoconfig.Options{InitialRetryDelay: -1}},
		{"ConnectTimeout", "negative", autoconfig.Options{ConnectTimeout: -1}},
		{"IdleTimeout", "negative", autoconfig.Options{IdleTimeout: -time.Hour}},
		{"MaxEventSize", "negative", autoconfig.Options{MaxEventSize: -1}},
		{"MaxEnvironments", "negative", autoconfig.Options{MaxEnvironments: -1}},
		{"MaxTombstones", "negative", autoconfig.Options{MaxTombstones: -1}},
		{"Lag", "negative", autoconfig.Options{Lag: -1}},
	} {
		_, opened := autoconfig.Open(t.Context(), testkit.Key, &test.o)
		_, observed := autoconfig.Observe(testkit.Key, &test.o).Count(t.Context())
		for what, err := range map[string]error{"Open": opened, "Observe": observed} {
			if wrong := (*autoconfig.OptionError)(nil); !errors.As(err, &wrong) || wrong.Option != test.option || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s with %s that is %s: got %v", what, test.option, test.why, err)
			}
		}
	}
}

// TestInvalidKeys checks that keys that a header cannot carry are refused.
func TestInvalidKeys(t *testing.T) {
	for _, key := range []autoconfig.AutoConfigKey{"", " ", "rel 1", "rel-1\n", "rel-1\x00", "rel-\x7f", "rel-é", "rel-\xff"} {
		_, opened := autoconfig.Open(t.Context(), key, nil)
		_, observed := autoconfig.Observe(key, nil).Count(t.Context())
		if opened != autoconfig.ErrInvalidKey || observed != autoconfig.ErrInvalidKey {
			t.Errorf("%q: Open fails with %v, and Observe with %v", string(key), opened, observed)
		}
	}
}

// TestKeyProviderReplacesTheKey checks that the key given to Observe or Open need not be valid if there is
// an Options.Key.
func TestKeyProviderReplacesTheKey(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing())
		o := testkit.To(srv)
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return testkit.Key, nil }
		for range autoconfig.Observe("", o).All(t.Context()) {
			break
		}
		if r := srv.Requests(); len(r) != 1 || r[0].Status != 200 {
			t.Errorf("%v", r)
		}
	})
}
