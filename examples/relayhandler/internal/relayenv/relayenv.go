// Package relayenv stands for the internal package relayenv of a Relay. It has the type that the adapter needs.
package relayenv

import "github.com/relaystream/autoconfig/examples/relayhandler/internal/config"

// EnvIdentifiers name an environment and its project for people.
type EnvIdentifiers struct {
	EnvKey, EnvName, ProjKey, ProjName string
	// FilterKey is the payload filter of the environment, empty if there is none.
	FilterKey config.FilterKey
	// ConfiguredName is empty for an environment of the stream.
	ConfiguredName string
}
