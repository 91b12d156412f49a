// Package config stands for package config of a Relay. It has the types that the adapter needs.
package config

type (
	// AutoConfigKey is the credential of an auto-configuration stream.
	AutoConfigKey string
	// EnvironmentID identifies an environment.
	EnvironmentID string
	// FilterID identifies a payload filter.
	FilterID string
	// FilterKey names a payload filter in its project.
	FilterKey string
	// MobileKey is a mobile key.
	MobileKey string
	// SDKKey is a server-side SDK key.
	SDKKey string
)
