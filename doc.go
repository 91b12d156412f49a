// Package autoconfig turns the auto-configuration stream of LaunchDarkly's Relay Proxy into typed changes
// of a configuration: environments with their keys, and payload filters.
//
// There are three APIs over one implementation:
//
//   - Observe is cold: each subscription has a connection and a state of its own.
//   - Open starts a Client: one connection and one state for any number of subscribers, with a status,
//     statistics and probes.
//   - NewStreamManager calls a MessageHandler, as Relay's own does. Dispatch does so for any changes.
//
// Options.Source feeds any of them from something other than the HTTP connection.
//
// # Guarantees
//
//  1. Changes come in the order of the wire, each once. A late subscriber gets the state so far as additions
//     first. Synced follows once a complete configuration has been passed on, and not before.
//  2. The state outlives the connection: after a reconnection only differences are changes. Data that is
//     malformed, out of date or contradicts itself changes nothing.
//  3. A client reconnects by itself, forever and never in a hot loop, until it is closed or told to stop: by
//     204, or by a rejected key where that is to be fatal.
//  4. Subscribers of a Client hold up nobody, unless their policy is stream.Block; see below.
//  5. Close is effective at once, whatever is under way. When it has returned, nothing is left but
//     subscribers that are busy with a change, and a call of a Logger or a Cache that does not return. With a
//     Cache, Close waits until the last configuration is saved; Client.CloseContext bounds that.
//     StreamManager.Close waits for a call of its handler; its CloseContext bounds that.
//  6. What a message, a response, its silence or a subscriber can take up is bounded: see Options.
//  7. Keys are masked wherever package fmt or log/slog shows them, and saved only encrypted.
//
// # In a Relay
//
// NewStreamManager has the parameters of Relay 6 and 7. The parameters of its handler are of types of this module,
// so a Relay needs an adapter. The program examples/relayhandler has one, with a constructor for Relay 8, which
// takes a *url.URL and a protocol version, and loggers for Relay 6, which has go-sdk-common version 2.
//
// # Slow subscribers
//
// When a subscriber of Client.Changes stops, up to Options.Lag changes wait for it, and beyond that one for
// each environment and filter, those of the same one merged. The connection and other subscribers go
// on; memory is bounded by the size of the configuration.
//
// The subscriber of Observe, the handler of a StreamManager, and subscribers of Client.ChangesUnder with
// stream.Block miss nothing and have nothing merged, so the connection waits for them. Suppose the
// server sends 100,000 patches a second and one of them stops for a minute:
//
//   - In memory, changes gather up to the limit: DefaultLag, or what stream.Block was given; and one batch
//     of 64 that the subscriber has taken. The connection's buffers hold up to 256 KiB more. Then nothing is
//     read, decoded or allocated any more. The expiry of keys waits, too.
//   - On the wire, the receive window of TCP closes, and the server's writes wait. If the server drops the
//     connection, the client reconnects when it goes on reading, and no change is lost.
//   - Options.IdleTimeout does not count the time in which nobody reads.
//   - Subscribers of Client.Changes on the same Client get nothing new, and Client.Liveness reports Stalled
//     once that has lasted longer than IdleTimeout and its tolerance.
package autoconfig
