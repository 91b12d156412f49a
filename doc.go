// Package autoconfig turns the auto-configuration stream of LaunchDarkly's Relay Proxy into typed changes
// of a configuration: environments with their keys, and payload filters.
//
// There are three ways to be told of them, over the same code:
//
//   - Observe is cold: each subscription has a connection and a state of its own.
//   - Open starts a Client: one connection and one state for any number of subscribers, with a status,
//     statistics and probes.
//   - NewStreamManager calls a MessageHandler, as Relay's own does. Dispatch does so for any changes.
//
// # Guarantees
//
//  1. Changes come in the order of the wire, each once. A subscriber that comes late gets the state so far
//     as additions first. Synced follows when a complete configuration has been passed on, and not before.
//  2. The state outlives the connection: after a reconnection only differences are changes. Data that is
//     malformed, out of date or contradicts itself changes nothing.
//  3. It reconnects by itself, without end and never in a hot loop, until it is closed or told not to: by
//     204, or by a rejected key where that is to be fatal.
//  4. Subscribers of a Client hold up nobody, unless their policy is stream.Block; see below.
//  5. Close is effective at once, whatever is under way, and when it has returned nothing is left but
//     subscribers that are busy with a change, and a Cache that ignores its context. StreamManager.Close
//     waits for a call of its handler; CloseContext bounds that wait. No call follows Close.
//  6. What a message, a response, its silence or a subscriber can take up is bounded: see Options.
//  7. Keys are masked wherever package fmt or log/slog shows them, and saved under encryption alone.
//
// # When a subscriber is slow
//
// A subscriber of Client.Changes that stops has up to Options.Lag changes waiting for it, and beyond that
// one for each environment and filter, those of the same one merged. Connection and other subscribers go
// on; the memory is bounded by the size of the configuration.
//
// The subscriber of Observe, the handler of a StreamManager, and subscribers of Client.ChangesUnder with
// stream.Block lose nothing and have nothing merged, and so the connection waits for them. Suppose that the
// server sends 100,000 patches a second and one of them stops for a minute:
//
//   - In memory, changes gather up to the limit: DefaultLag, or what stream.Block was given; and one batch
//     of 64 that the subscriber has taken. The connection's buffers have up to 256 KiB more of what was
//     read ahead. Then nothing is read, decoded or allocated any more. The expiry of keys waits, too.
//   - On the wire, the operating systems' buffers fill, the receive window of TCP closes, and the server's
//     writes wait. What the server does about that is its own affair: it may drop the connection, which is
//     noticed when reading goes on, and costs a reconnection with a new configuration, but no change
//     of it.
//   - The connection is not given up for being idle: Options.IdleTimeout counts the time in which the
//     server could have sent something, not that in which nobody read.
//   - Client.Changes and its kind on the same Client get nothing new meanwhile, and Client.Liveness
//     reports Stalled once that has lasted for longer than IdleTimeout and its tolerance.
//   - When the subscriber goes on, it gets every change, in order, over the same connection.
package autoconfig
