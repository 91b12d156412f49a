// Package params describes environments and payload filters as a classic MessageHandler gets them: the types have
// the fields of Relay's own.
package params

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/expiry"
	"github.com/relaystream/autoconfig/internal/mask"
)

// An Environment describes an environment.
type Environment struct {
	// EnvID is the environment's ID.
	EnvID decode.EnvironmentID
	// Identifiers name the environment and its project.
	Identifiers Identifiers
	// SDKKey is the current SDK key.
	SDKKey decode.SDKKey
	// MobileKey is the current mobile key, empty if there is none.
	MobileKey decode.MobileKey
	// ExpiringSDKKey is an older SDK key that is accepted for a while.
	ExpiringSDKKey ExpiringSDKKey
	// AcceptedSDKKeys and AcceptedMobileKeys are all keys that are accepted, the current one among
	// them, where there are others than the three above: in an environment with concurrent keys, or with an
	// SDK key that was replaced more than once before the first one expired. Otherwise they are nil. They may
	// be shared with other parameters of the same environment and must not be modified.
	AcceptedSDKKeys    []AcceptedKey[decode.SDKKey]
	AcceptedMobileKeys []AcceptedKey[decode.MobileKey]
	// TTL is the cache TTL for PHP clients, in whole minutes on the wire.
	TTL time.Duration
	// SecureMode is true if secure mode is required.
	SecureMode bool
}

// Identifiers name an environment and its project for people.
type Identifiers struct {
	EnvKey, EnvName, ProjKey, ProjName string
}

// An ExpiringSDKKey is an SDK key with an end. The zero value is none.
type ExpiringSDKKey struct {
	// Key is the key.
	Key decode.SDKKey
	// Expiration is when it expires; zero means never.
	Expiration time.Time
}

// Defined reports whether there is a key.
func (k ExpiringSDKKey) Defined() bool { return k.Key != "" }

// An AcceptedKey is one of the keys of an environment with concurrent keys.
type AcceptedKey[K decode.SDKKey | decode.MobileKey] struct {
	// Key names the credential for people.
	Key string
	// Value is the credential.
	Value K
	// Expiry is when it expires; zero means never.
	Expiry time.Time
	// HasViews is true if the key is restricted to views.
	HasViews bool
}

// A Filter describes a payload filter.
type Filter struct {
	// ID is the filter's ID.
	ID decode.FilterID
	// ProjKey is the project that the filter belongs to, and Key its name there.
	ProjKey, Key string
}

// OfEnvironment returns the parameters that describe an environment to a MessageHandler.
func OfEnvironment(e *decode.EnvironmentRep) (p Environment) {
	p.describe(e)
	p.list(e)
	return p
}

// describe sets everything but AcceptedSDKKeys and AcceptedMobileKeys.
func (p *Environment) describe(e *decode.EnvironmentRep) {
	p.EnvID = e.EnvID
	p.Identifiers = Identifiers{EnvKey: e.EnvKey, EnvName: e.EnvName, ProjKey: e.ProjKey, ProjName: e.ProjName}
	p.SDKKey, p.MobileKey = e.SDKKey.Value, e.MobKey
	p.ExpiringSDKKey = ExpiringSDKKey{Key: e.SDKKey.Expiring.Value, Expiration: expiry.Time(e.SDKKey.Expiring.Timestamp)}
	p.TTL, p.SecureMode = minutes(e.DefaultTTL), e.SecureMode
}

// list sets AcceptedSDKKeys and AcceptedMobileKeys.
func (p *Environment) list(e *decode.EnvironmentRep) {
	p.AcceptedSDKKeys = acceptedSDKKeys(e)
	p.AcceptedMobileKeys = acceptedKeys(e.MobileKeys, e.MobKey)
}

// OfFilter returns the parameters that describe a filter to a FilterHandler.
func OfFilter(f *diff.Filter) Filter {
	return Filter{ID: f.ID, ProjKey: f.ProjKey, Key: f.FilterKey}
}

// minutes returns n minutes, or the nearest duration there is.
func minutes(n int) time.Duration {
	const most = math.MaxInt64 / int64(time.Minute)
	return time.Duration(max(-most, min(int64(n), most))) * time.Minute
}

// acceptedSDKKeys returns the concurrent SDK keys, and those that linger after a newer key took their place.
func acceptedSDKKeys(e *decode.EnvironmentRep) []AcceptedKey[decode.SDKKey] {
	accepted := acceptedKeys(e.SDKKeys, e.SDKKey.Value)
	if len(e.Lingering) == 0 {
		return accepted
	}
	if accepted == nil {
		accepted = []AcceptedKey[decode.SDKKey]{{Value: e.SDKKey.Value}}
		if old := e.SDKKey.Expiring; old.Value != "" {
			accepted = append(accepted, AcceptedKey[decode.SDKKey]{Value: old.Value, Expiry: expiry.Time(old.Timestamp)})
		}
	}
	for _, old := range e.Lingering {
		accepted = append(accepted, AcceptedKey[decode.SDKKey]{Value: old.Value, Expiry: expiry.Time(old.Timestamp)})
	}
	return accepted
}

// acceptedKeys converts keys. The current one never expires, whatever its entry says.
func acceptedKeys[K decode.SDKKey | decode.MobileKey](keys []decode.ConcurrentKeyRep[K], current K) []AcceptedKey[K] {
	if len(keys) == 0 {
		return nil
	}
	accepted := make([]AcceptedKey[K], len(keys))
	for i, k := range keys {
		accepted[i] = AcceptedKey[K]{Key: k.Key, Value: k.Value, HasViews: k.HasViews}
		if k.Expiry != nil && k.Value != current {
			accepted[i].Expiry = expiry.Time(*k.Expiry)
		}
	}
	return accepted
}

// Rep returns the environment that p describes, at a version. The TTL is rounded down to whole minutes.
func (p Environment) Rep(version int) *decode.EnvironmentRep {
	return &decode.EnvironmentRep{
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

func concurrentKeys[K decode.SDKKey | decode.MobileKey](accepted []AcceptedKey[K]) []decode.ConcurrentKeyRep[K] {
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
func (p Environment) Format(f fmt.State, verb rune) {
	type fields Environment
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
func (p Environment) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("%+v", p)) }
