package decode

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/internal/expiry"
	"github.com/relaystream/autoconfig/internal/mask"
	"github.com/relaystream/autoconfig/internal/quote"
)

// SDKKey is a server-side SDK key.
//
// Every verb of package fmt and package slog show the masked form: the last four characters, or none of them if the
// key has no more than eight. A conversion to string gives the real key. encoding/json shows it, and so does
// slog.JSONHandler for a slice, a map or a struct of another package with an SDKKey in it.
type SDKKey string

// String returns the masked form.
func (k SDKKey) String() string { return mask.String(string(k)) }

// Format implements fmt.Formatter. Every verb prints the masked form.
func (k SDKKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(k)) }

// LogValue implements slog.LogValuer. It returns the masked form.
func (k SDKKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MobileKey is a mobile SDK key.
//
// It is masked like SDKKey.
type MobileKey string

// String returns the masked form.
func (k MobileKey) String() string { return mask.String(string(k)) }

// Format implements fmt.Formatter. Every verb prints the masked form.
func (k MobileKey) Format(f fmt.State, verb rune) { mask.Format(f, verb, string(k)) }

// LogValue implements slog.LogValuer. It returns the masked form.
func (k MobileKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// String returns a description of the key with its masked form.
func (k ConcurrentKeyRep[K]) String() string {
	words := make([]string, 0, 4)
	if k.Key != "" {
		words = append(words, quote.Line(k.Key))
	}
	words = append(words, fmt.Sprint(k.Value))
	if at := expiry.Time(k.expiry()); !at.IsZero() {
		words = append(words, "until "+at.UTC().Format(time.RFC3339Nano))
	}
	if k.HasViews {
		words = append(words, "with views")
	}
	return strings.Join(words, " ")
}

// Structs that contain keys need a Format method, for the reason that mask.Struct gives, and a LogValue method,
// because slog.JSONHandler would encode them with encoding/json.

// Format implements fmt.Formatter. Every verb prints what String returns.
func (k ConcurrentKeyRep[K]) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements slog.LogValuer. It returns what String returns.
func (k ConcurrentKeyRep[K]) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Format implements fmt.Formatter. It prints the fields with the key masked.
func (k ExpiringKeyRep) Format(f fmt.State, verb rune) {
	type fields ExpiringKeyRep
	mask.Struct(f, verb, k, fields(k))
}

// LogValue implements slog.LogValuer. It returns the fields with the key masked.
func (k ExpiringKeyRep) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", k)) }

// Format implements fmt.Formatter. It prints the fields with the keys masked.
func (k SDKKeyRep) Format(f fmt.State, verb rune) {
	type fields SDKKeyRep
	mask.Struct(f, verb, k, fields(k))
}

// LogValue implements slog.LogValuer. It returns the fields with the keys masked.
func (k SDKKeyRep) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", k)) }

// Format implements fmt.Formatter. It prints the fields with the keys masked.
func (r EnvironmentRep) Format(f fmt.State, verb rune) {
	type fields EnvironmentRep
	mask.Struct(f, verb, r, fields(r))
}

// LogValue implements slog.LogValuer. It returns the ID, the names and the version.
func (r EnvironmentRep) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("envID", string(r.EnvID)),
		slog.String("envName", r.EnvName),
		slog.String("projName", r.ProjName),
		slog.Int("version", r.Version),
	)
}

// Format implements fmt.Formatter. It prints the fields with the keys masked.
func (d PutMessageData) Format(f fmt.State, verb rune) {
	type fields PutMessageData
	mask.Struct(f, verb, d, fields(d))
}

// LogValue implements slog.LogValuer. It returns the fields with the keys masked.
func (d PutMessageData) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", d)) }

// Format implements fmt.Formatter. It prints the fields with the keys masked.
func (c PutContent) Format(f fmt.State, verb rune) {
	type fields PutContent
	mask.Struct(f, verb, c, fields(c))
}

// LogValue implements slog.LogValuer. It returns the fields with the keys masked.
func (c PutContent) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", c)) }

// Format implements fmt.Formatter. It prints the fields with the keys masked.
func (d PatchMessageData) Format(f fmt.State, verb rune) {
	type fields PatchMessageData
	mask.Struct(f, verb, d, fields(d))
}

// LogValue implements slog.LogValuer. It returns the fields with the keys masked.
func (d PatchMessageData) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", d)) }
