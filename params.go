package autoconfig

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/mask"
)

// EnvironmentParams describe an environment to a MessageHandler.
type EnvironmentParams struct {
	// EnvID is the environment's ID.
	EnvID EnvironmentID
	// Identifiers name the environment and its project.
	Identifiers EnvIdentifiers
	// SDKKey is the current SDK key.
	SDKKey SDKKey
	// MobileKey is the current mobile key, empty if there is none.
	MobileKey MobileKey
	// ExpiringSDKKey is an older SDK key that is accepted for a while.
	ExpiringSDKKey ExpiringSDKKey
	// AcceptedSDKKeys and AcceptedMobileKeys are all keys that are accepted, the current one among
	// them, of an environment with concurrent keys. For an environment without they are nil: its
	// keys are those above.
	AcceptedSDKKeys    []AcceptedKey[SDKKey]
	AcceptedMobileKeys []AcceptedKey[MobileKey]
	// TTL is the cache TTL for PHP clients.
	TTL time.Duration
	// SecureMode tells that secure mode is required.
	SecureMode bool
}

// EnvIdentifiers name an environment and its project for people.
type EnvIdentifiers struct {
	EnvKey, EnvName, ProjKey, ProjName string
}

// An ExpiringSDKKey is an SDK key with an end. The zero value is none.
type ExpiringSDKKey struct {
	// Key is the key.
	Key SDKKey
	// Expiration is when it expires; zero means never.
	Expiration time.Time
}

// Defined reports whether there is a key.
func (k ExpiringSDKKey) Defined() bool { return k.Key != "" }

// An AcceptedKey is one of the keys of an environment with concurrent keys.
type AcceptedKey[K SDKKey | MobileKey] struct {
	// Key names the credential for people.
	Key string
	// Value is the credential.
	Value K
	// Expiry is when it expires; zero means never.
	Expiry time.Time
	// HasViews tells that the key is restricted to views.
	HasViews bool
}

// FilterParams describe a payload filter to a FilterHandler.
type FilterParams struct {
	// ID is the filter's ID.
	ID FilterID
	// ProjKey is the project that the filter belongs to, and Key its name there.
	ProjKey, Key string
}

// Params returns what a MessageHandler is told of an environment.
func Params(e *EnvironmentRep) EnvironmentParams {
	return EnvironmentParams{
		EnvID:              e.EnvID,
		Identifiers:        EnvIdentifiers{EnvKey: e.EnvKey, EnvName: e.EnvName, ProjKey: e.ProjKey, ProjName: e.ProjName},
		SDKKey:             e.SDKKey.Value,
		MobileKey:          e.MobKey,
		ExpiringSDKKey:     ExpiringSDKKey{Key: e.SDKKey.Expiring.Value, Expiration: timeOf(e.SDKKey.Expiring.Timestamp)},
		AcceptedSDKKeys:    acceptedKeys(e.SDKKeys),
		AcceptedMobileKeys: acceptedKeys(e.MobileKeys),
		TTL:                time.Duration(e.DefaultTTL) * time.Minute,
		SecureMode:         e.SecureMode,
	}
}

func timeOf(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds)
}

func acceptedKeys[K SDKKey | MobileKey](keys []decode.ConcurrentKeyRep[K]) []AcceptedKey[K] {
	if len(keys) == 0 {
		return nil
	}
	accepted := make([]AcceptedKey[K], len(keys))
	for i, k := range keys {
		accepted[i] = AcceptedKey[K]{Key: k.Key, Value: k.Value, HasViews: k.HasViews}
		if k.Expiry != nil {
			accepted[i].Expiry = timeOf(*k.Expiry)
		}
	}
	return accepted
}

// rep returns the environment that p describes, at a version.
func (p EnvironmentParams) rep(version int) *EnvironmentRep {
	return &EnvironmentRep{
		EnvID:   p.EnvID,
		EnvKey:  p.Identifiers.EnvKey,
		EnvName: p.Identifiers.EnvName,
		ProjKey: p.Identifiers.ProjKey, ProjName: p.Identifiers.ProjName,
		SDKKey: decode.SDKKeyRep{
			Value:    p.SDKKey,
			Expiring: decode.ExpiringKeyRep{Value: p.ExpiringSDKKey.Key, Timestamp: millisecondsOf(p.ExpiringSDKKey.Expiration)},
		},
		MobKey:     p.MobileKey,
		SDKKeys:    concurrentKeys(p.AcceptedSDKKeys),
		MobileKeys: concurrentKeys(p.AcceptedMobileKeys),
		DefaultTTL: int(p.TTL / time.Minute),
		SecureMode: p.SecureMode,
		Version:    version,
	}
}

func millisecondsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func concurrentKeys[K SDKKey | MobileKey](accepted []AcceptedKey[K]) []decode.ConcurrentKeyRep[K] {
	var keys []decode.ConcurrentKeyRep[K]
	for _, a := range accepted {
		k := decode.ConcurrentKeyRep[K]{Key: a.Key, Value: a.Value, HasViews: a.HasViews}
		if at := millisecondsOf(a.Expiry); at != 0 {
			k.Expiry = &at
		}
		keys = append(keys, k)
	}
	return keys
}

// Format implements fmt.Formatter with the keys masked.
func (p EnvironmentParams) Format(f fmt.State, verb rune) {
	type fields EnvironmentParams
	mask.Struct(f, verb, p, fields(p))
}

// Format implements fmt.Formatter with the key masked.
func (k ExpiringSDKKey) Format(f fmt.State, verb rune) {
	type fields ExpiringSDKKey
	mask.Struct(f, verb, k, fields(k))
}

// Format implements fmt.Formatter with the credential masked.
func (k AcceptedKey[K]) Format(f fmt.State, verb rune) {
	type fields AcceptedKey[K]
	mask.Struct(f, verb, k, fields(k))
}

// LogValue implements slog.LogValuer, because an encoder of JSON would show the key.
func (k ExpiringSDKKey) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", k)) }

// LogValue implements slog.LogValuer, because an encoder of JSON would show the credential.
func (k AcceptedKey[K]) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", k)) }

// LogValue implements slog.LogValuer, because an encoder of JSON would show the keys.
func (p EnvironmentParams) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", p)) }
