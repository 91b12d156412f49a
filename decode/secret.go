package decode

import (
	"fmt"
	"log/slog"

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
