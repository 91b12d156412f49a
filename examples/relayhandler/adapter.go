package main

// This file and loggers.go are what a Relay needs to use the library. In package autoconfig of a Relay, import
// Relay's own packages instead of the three stand-ins below, and leave out MessageHandler, which is there.

import (
	"net/url"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/config"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/envfactory"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/relayenv"
)

// A MessageHandler is Relay's own, of version 8. Those of versions 6 and 7 have no methods for filters.
type MessageHandler interface {
	AddEnvironment(params envfactory.EnvironmentParams)
	UpdateEnvironment(params envfactory.EnvironmentParams)
	ReceivedAllEnvironments()
	DeleteEnvironment(id config.EnvironmentID)
	KeyExpired(id config.EnvironmentID, oldKey config.SDKKey)
	AddFilter(params envfactory.FilterParams)
	DeleteFilter(id config.FilterID)
}

// NewStreamManager has the parameters of Relay 8. Later versions have more of them after loggers, which nothing
// here needs.
func NewStreamManager(
	key config.AutoConfigKey,
	streamURI *url.URL,
	handler MessageHandler,
	httpConfig autoconfig.HTTPConfig,
	initialRetryDelay time.Duration,
	protocolVersion int,
	loggers ldlog.Loggers,
) *autoconfig.StreamManager {
	var adapted autoconfig.MessageHandler = environments{handler}
	if protocolVersion > 1 {
		adapted = environmentsAndFilters{environments{handler}}
	}
	return autoconfig.NewStreamManager(
		autoconfig.AutoConfigKey(key), streamURI.String(), adapted, httpConfig, initialRetryDelay, loggers)
}

// environments is an autoconfig.MessageHandler that calls one of Relay's.
type environments struct{ relay MessageHandler }

func (e environments) AddEnvironment(p autoconfig.EnvironmentParams) {
	e.relay.AddEnvironment(params(p))
}

func (e environments) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	e.relay.UpdateEnvironment(params(p))
}

func (e environments) ReceivedAllEnvironments() { e.relay.ReceivedAllEnvironments() }

func (e environments) DeleteEnvironment(id autoconfig.EnvironmentID) {
	e.relay.DeleteEnvironment(config.EnvironmentID(id))
}

func (e environments) KeyExpired(id autoconfig.EnvironmentID, oldKey autoconfig.SDKKey) {
	e.relay.KeyExpired(config.EnvironmentID(id), config.SDKKey(oldKey))
}

// environmentsAndFilters is an autoconfig.FilterHandler, too, so that filters are asked for.
type environmentsAndFilters struct{ environments }

func (e environmentsAndFilters) AddFilter(p autoconfig.FilterParams) {
	e.relay.AddFilter(envfactory.FilterParams{ProjKey: p.ProjKey, ID: config.FilterID(p.ID), Key: config.FilterKey(p.Key)})
}

func (e environmentsAndFilters) DeleteFilter(id autoconfig.FilterID) {
	e.relay.DeleteFilter(config.FilterID(id))
}

// params converts an environment. In Relay 6 and 7 ExpiringSDKKey is the key alone. Late versions of Relay 8
// also have AcceptedSDKKeys and AcceptedMobileKeys, as p has.
func params(p autoconfig.EnvironmentParams) envfactory.EnvironmentParams {
	return envfactory.EnvironmentParams{
		EnvID: config.EnvironmentID(p.EnvID),
		Identifiers: relayenv.EnvIdentifiers{
			EnvKey: p.Identifiers.EnvKey, EnvName: p.Identifiers.EnvName,
			ProjKey: p.Identifiers.ProjKey, ProjName: p.Identifiers.ProjName,
		},
		SDKKey:    config.SDKKey(p.SDKKey),
		MobileKey: config.MobileKey(p.MobileKey),
		ExpiringSDKKey: envfactory.ExpiringSDKKey{
			Key: config.SDKKey(p.ExpiringSDKKey.Key), Expiration: p.ExpiringSDKKey.Expiration,
		},
		TTL:        p.TTL,
		SecureMode: p.SecureMode,
	}
}
