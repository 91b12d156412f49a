package main

import (
	"fmt"

	"github.com/relaystream/autoconfig/examples/relayhandler/internal/config"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/envfactory"
)

// A set is a MessageHandler as a Relay has one: it keeps the environments that are there. Calls of a handler
// never overlap, so there is no lock.
type set map[config.EnvironmentID]envfactory.EnvironmentParams

func (s set) AddEnvironment(p envfactory.EnvironmentParams) {
	s[p.EnvID] = p
	s.report("added", p.EnvID)
}

func (s set) UpdateEnvironment(p envfactory.EnvironmentParams) {
	s[p.EnvID] = p
	s.report("updated", p.EnvID)
}

func (s set) DeleteEnvironment(id config.EnvironmentID) {
	delete(s, id)
	s.report("deleted", id)
}

func (s set) ReceivedAllEnvironments() {
	fmt.Println("the configuration is complete:", len(s), "environments")
}

func (s set) KeyExpired(id config.EnvironmentID, _ config.SDKKey) { s.report("a key expired", id) }

func (s set) AddFilter(p envfactory.FilterParams) { fmt.Println("filter added:", p.ID) }

func (s set) DeleteFilter(id config.FilterID) { fmt.Println("filter deleted:", id) }

func (s set) report(event string, id config.EnvironmentID) {
	fmt.Printf("%s: %s (%d environments)\n", event, id, len(s))
}
