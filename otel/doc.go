// Package autoconfigotel exports the statistics of an autoconfig.Client as OpenTelemetry metrics. It
// is a module of its own, so that programs without OpenTelemetry do not depend on it.
//
//	registration, err := autoconfigotel.Register(otel.Meter("my/program"), client)
//
// Each collection reads Client.Stats once; nothing is done in between. All names begin with
// "relaystream.autoconfig.", those of the attributes in parentheses too.
//
// Sums that only grow, since the client was opened:
//
//	connection.attempts      {attempt}      connection attempts
//	connection.established   {connection}   attempts that led to a stream of events
//	connection.ended         {connection}   attempts and connections that have ended (cause)
//	stream.io                By             bytes read
//	stream.events            {event}        events read
//	messages                 {message}      messages decoded (message.kind)
//	messages.unusual         {message}      messages, and environments of puts, in a form that takes long to decode
//	items                    {item}         environments and filters in them (item.outcome)
//	keys.expired             {key}          keys that have expired
//	changes                  {change}       changes for subscribers (change.outcome)
//	cache.saves              {save}         attempts to save the configuration (save.outcome)
//
// Sums that grow and shrink:
//
//	status                   1              1 for the present state, 0 for each other (state)
//	environment.count        {environment}  environments there are
//	filter.count             {filter}       payload filters there are
//	tombstone.count          {tombstone}    deletions that are remembered
//	keys.expiring            {key}          keys that will expire
//	subscriber.count         {subscriber}   subscribers there are (subscriber.policy)
//
// Gauges:
//
//	subscriber.lag           {change}       changes that wait for the subscriber that is most behind (subscriber.policy)
//	outdated.duration        s              time since the client was last valid; 0 while it is
//
// Values of the attributes:
//
//	cause              reconnect, malformed, refused, rejected, bad_response, timeout, end_of_stream, failure
//	message.kind       put, patch, delete, ignored
//	item.outcome       applied, stale, unchanged, skipped
//	change.outcome     delivered, dropped, coalesced
//	save.outcome       saved, failed
//	state              initializing, valid, interrupted, off
//	subscriber.policy  the name of a stream.Policy: Block, Coalesce and so on
//
// What they mean stands at the fields of autoconfig.Stats that they are read from.
package autoconfigotel
