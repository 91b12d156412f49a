package autoconfigotel

import (
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/stream"
)

type kind uint8

const (
	counter kind = iota
	upDownCounter
	gauge
	seconds // a gauge of floating-point numbers
)

// A measure is a metric and the function that reads it from the statistics S.
type measure[S any] struct {
	kind                    kind
	name, unit, description string
	attribute               string // distinguishes the points; empty if there is only one
	read                    func(*S) []point
}

// A point is one measurement. Float64 is exact for integers below 2⁵³.
type point struct {
	label string
	value float64
}

func measures() []measure[autoconfig.Stats] {
	return []measure[autoconfig.Stats]{
		{counter, "connection.attempts", "{attempt}", "Connection attempts.", "",
			one(func(s *autoconfig.Stats) uint64 { return s.Attempts })},
		{counter, "connection.established", "{connection}", "Attempts that led to a stream of events.", "",
			one(func(s *autoconfig.Stats) uint64 { return s.Connections })},
		{counter, "connection.ended", "{connection}", "Attempts and connections that have ended.", "cause", causes},
		{counter, "stream.io", "By", "Bytes read.", "",
			one(func(s *autoconfig.Stats) uint64 { return s.Bytes })},
		{counter, "stream.events", "{event}", "Events read.", "",
			one(func(s *autoconfig.Stats) uint64 { return s.Events })},
		{counter, "messages", "{message}", "Messages decoded.", "message.kind", messages},
		{counter, "messages.unusual", "{environment}", "Environments in a form that is slow to decode.", "",
			one(func(s *autoconfig.Stats) uint64 { return s.Unusual })},
		{counter, "items", "{item}", "Environments and filters in messages.", "item.outcome", items},
		{counter, "keys.expired", "{key}", "Keys that have expired.", "",
			one(func(s *autoconfig.Stats) uint64 { return s.State.Expired })},
		{counter, "changes", "{change}", "Changes for subscribers.", "change.outcome", outcomes},
		{counter, "cache.saves", "{save}", "Attempts to save the configuration.", "save.outcome", saves},

		{upDownCounter, "status", "1", "1 for the present state, 0 for the others.", "state", states},
		{upDownCounter, "environment.count", "{environment}", "Environments in the configuration.", "",
			one(func(s *autoconfig.Stats) int { return s.State.Environments })},
		{upDownCounter, "filter.count", "{filter}", "Payload filters in the configuration.", "",
			one(func(s *autoconfig.Stats) int { return s.State.Filters })},
		{upDownCounter, "tombstone.count", "{tombstone}", "Remembered deletions.", "",
			one(func(s *autoconfig.Stats) int { return s.State.Tombstones })},
		{upDownCounter, "keys.expiring", "{key}", "Keys that will expire.", "",
			one(func(s *autoconfig.Stats) int { return s.State.PendingExpiries })},
		{upDownCounter, "subscriber.count", "{subscriber}", "Subscribers.", "subscriber.policy",
			byPolicy(func(n float64, _ stream.SubscriptionStats) float64 { return n + 1 })},

		{gauge, "subscriber.lag", "{change}", "Changes waiting for the subscriber that is furthest behind.", "subscriber.policy",
			byPolicy(func(most float64, s stream.SubscriptionStats) float64 { return max(most, float64(s.Lag)) })},
		{seconds, "outdated.duration", "s", "Time since the client was last valid; 0 while it is.", "", outdated},
	}
}

func one[S any, N int | uint64](read func(*S) N) func(*S) []point {
	return func(s *S) []point { return []point{{"", float64(read(s))}} }
}

func causes(s *autoconfig.Stats) []point {
	return []point{
		{"reconnect", float64(s.ReconnectRequests)}, {"malformed", float64(s.Malformed)},
		{"refused", float64(s.Refused)}, {"rejected", float64(s.Rejected)},
		{"bad_response", float64(s.BadResponses)}, {"timeout", float64(s.TimedOut)},
		{"end_of_stream", float64(s.Ended)}, {"failure", float64(s.Failed)},
	}
}

func messages(s *autoconfig.Stats) []point {
	return []point{
		{"put", float64(s.State.Puts)}, {"patch", float64(s.State.Patches)},
		{"delete", float64(s.State.Deletes)}, {"omit", float64(s.State.Omits)},
		{"complete", float64(s.State.Completes)}, {"ignored", float64(s.State.Ignored)},
	}
}

func items(s *autoconfig.Stats) []point {
	return []point{
		{"applied", float64(s.State.Applied)}, {"stale", float64(s.State.Stale)},
		{"unchanged", float64(s.State.Unchanged)}, {"skipped", float64(s.State.Skipped)},
	}
}

func outcomes(s *autoconfig.Stats) []point {
	return []point{
		{"delivered", float64(s.Delivery.Delivered)}, {"dropped", float64(s.Delivery.Dropped)},
		{"coalesced", float64(s.Delivery.Coalesced)},
	}
}

func saves(s *autoconfig.Stats) []point {
	return []point{{"saved", float64(s.Cache.Saves)}, {"failed", float64(s.Cache.Failures)}}
}

// states returns a point for each state. Their sums over all clients count the clients in each state.
func states(s *autoconfig.Stats) []point {
	var points []point
	for state := autoconfig.Initializing; state <= autoconfig.Off; state++ {
		p := point{label: state.String()}
		if state == s.Status.State {
			p.value = 1
		}
		points = append(points, p)
	}
	return points
}

// byPolicy folds the subscribers of each policy, starting from 0. A policy without subscribers has no
// point.
func byPolicy(fold func(sum float64, s stream.SubscriptionStats) float64) func(*autoconfig.Stats) []point {
	return func(stats *autoconfig.Stats) []point {
		folded := make(map[string]float64)
		for _, s := range stats.Subscribers {
			folded[s.Policy] = fold(folded[s.Policy], s)
		}
		points := make([]point, 0, len(folded))
		for policy, value := range folded {
			points = append(points, point{policy, value})
		}
		return points
	}
}

func outdated(s *autoconfig.Stats) []point {
	if s.Status.OutdatedSince.IsZero() {
		return []point{{}}
	}
	return []point{{"", time.Since(s.Status.OutdatedSince).Seconds()}}
}
