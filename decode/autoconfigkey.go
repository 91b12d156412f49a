package decode

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/relaystream/autoconfig/internal/mask"
)

// AutoConfigKey is the credential of an auto-configuration stream. It is shown masked, like SDKKey.
type AutoConfigKey string

// Valid reports whether a header can carry the key: it is not empty, and of visible ASCII characters.
func (k AutoConfigKey) Valid() bool {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	return k != "" && !strings.ContainsFunc(string(k), invisible)
}

// String returns the masked form.
func (k AutoConfigKey) String() string { return mask.String(string(k)) }

// Format implements fmt.Formatter with the masked form for every verb.
func (k AutoConfigKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(k)) }

// LogValue implements slog.LogValuer with the masked form.
func (k AutoConfigKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
