package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/relaystream/autoconfig/internal/mask"
)

// ErrInvalidKey reports an auto-configuration key that cannot be sent in a header: an empty one, or
// one with a character other than visible ASCII.
var ErrInvalidKey = errors.New("autoconfig: invalid auto-configuration key: must be visible ASCII and not empty")

// AutoConfigKey is the credential of an auto-configuration stream. Every fmt verb and slog show it
// masked: its last four characters, and those only if it has more than eight. A conversion to
// string and encoding/json give the real value.
type AutoConfigKey string

// String returns the masked form.
func (k AutoConfigKey) String() string { return mask.String(string(k)) }

// Format implements fmt.Formatter with the masked form for every verb.
func (k AutoConfigKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(k)) }

// LogValue implements slog.LogValuer with the masked form.
func (k AutoConfigKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k AutoConfigKey) check() error {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if k == "" || strings.ContainsFunc(string(k), invisible) {
		return ErrInvalidKey
	}
	return nil
}

// A keySource gives the key for the next connection. It is a function so that nothing that is
// formatted holds the key.
type keySource func(ctx context.Context) (AutoConfigKey, error)

func fixedKey(key AutoConfigKey) keySource {
	return func(context.Context) (AutoConfigKey, error) { return key, nil }
}
