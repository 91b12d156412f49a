// Package envfactory stands for the internal package envfactory of a Relay. It has the types that the adapter
// needs.
package envfactory

import (
	"time"

	"github.com/relaystream/autoconfig/examples/relayhandler/internal/config"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/relayenv"
)

// EnvironmentParams describe an environment to a message handler.
type EnvironmentParams struct {
	EnvID          config.EnvironmentID
	Identifiers    relayenv.EnvIdentifiers
	SDKKey         config.SDKKey
	MobileKey      config.MobileKey
	ExpiringSDKKey ExpiringSDKKey
	TTL            time.Duration
	SecureMode     bool
}

// An ExpiringSDKKey is an SDK key with an end. The zero value is none.
type ExpiringSDKKey struct {
	Key        config.SDKKey
	Expiration time.Time
}

// FilterParams describe a payload filter to a message handler.
type FilterParams struct {
	ProjKey string
	ID      config.FilterID
	Key     config.FilterKey
}
