package decode

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/internal/mask"
)

// SDKKey is a server-side SDK key. Every fmt verb and slog show it masked: its last four
// characters, and those only if it has more than eight. A conversion to string and encoding/json
// give the real value.
type SDKKey string

// String returns the masked form.
func (k SDKKey) String() string { return mask.String(string(k)) }

// Format implements fmt.Formatter with the masked form for every verb.
func (k SDKKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(k)) }

// LogValue implements slog.LogValuer with the masked form.
func (k SDKKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MobileKey is a mobile SDK key. It is shown masked, like SDKKey.
type MobileKey string

// String returns the masked form.
func (k MobileKey) String() string { return mask.String(string(k)) }

// Format implements fmt.Formatter with the masked form for every verb.
func (k MobileKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(k)) }

// LogValue implements slog.LogValuer with the masked form.
func (k MobileKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// String returns the entry in words, the credential masked.
func (k ConcurrentKeyRep[K]) String() string {
	words := make([]string, 0, 4)
	if k.Key != "" {
		words = append(words, k.Key)
	}
	words = append(words, fmt.Sprint(k.Value))
	if k.Expiry != nil {
		words = append(words, "until "+time.UnixMilli(*k.Expiry).UTC().Format(time.RFC3339Nano))
	}
	if k.HasViews {
		words = append(words, "with views")
	}
	return strings.Join(words, " ")
}

// LogValue implements slog.LogValuer, because an encoder of JSON would show the keys.
func (r EnvironmentRep) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("envID", string(r.EnvID)),
		slog.String("envName", r.EnvName),
		slog.String("projName", r.ProjName),
		slog.Int("version", r.Version),
	)
}
