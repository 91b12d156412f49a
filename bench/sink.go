package main

import (
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/bench/peers"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/decode"
)

// A sink is the handler that peers call. It only counts, and notes the time when everything sent has been
// read.
type sink struct {
	mark   decode.EnvironmentID
	counts synth.Counts
	done   chan time.Time

	level         peers.Level
	bytes, events int // still to be read
}

// expect announces what will be sent. The peer calls nothing meanwhile.
func (s *sink) expect(level peers.Level, bytes, events int) {
	s.level = level
	s.bytes += bytes
	s.events += events
}

func (s *sink) Read(bytes, events int) {
	s.bytes -= bytes
	s.events -= events
	switch {
	case s.level == peers.Bytes && bytes > 0 && s.bytes == 0,
		s.level > peers.Bytes && events > 0 && s.events == 0:
		s.done <- time.Now()
	}
}

func (s *sink) AddEnvironment(autoconfig.EnvironmentParams) { s.counts.Added++ }

func (s *sink) UpdateEnvironment(params autoconfig.EnvironmentParams) {
	s.counts.Updated++
	if params.EnvID == s.mark {
		s.done <- time.Now()
	}
}

func (s *sink) ReceivedAllEnvironments() { s.counts.Synced++ }

func (s *sink) DeleteEnvironment(decode.EnvironmentID) { s.counts.Deleted++ }

func (s *sink) KeyExpired(decode.EnvironmentID, decode.SDKKey) {}
