// Package decode turns the events of the auto-configuration stream into typed messages.
//
// Messages maps an observable of server-sent events to an observable of messages. It accepts exactly
// what encoding/json accepts into the wire types (PutMessageData and the others), with the same values and
// the same errors. There are these exceptions:
//
//   - A filter that is missing or null is ignored, not an empty one, and a malformed filter affects nothing else.
//   - A put whose last data member is null is like one without data; see Options.Held.
//
// These errors end the observable, and with it the connection:
//
//   - *MalformedError: an event violates the protocol.
//   - *RefusedError: the keys of an environment contradict each other. The rest of its message has been passed
//     on before.
//   - ErrReconnect: the server asked for a new connection.
//
// A put with a Body, which the option Pieces of package sse makes, is decoded while it arrives. Only its parts are in
// memory: an environment, a filter, or a member that is unknown. Other events with a Body are read as a whole. An event
// whose Body fails leaves no trace.
//
// Anything less is passed on as a message of kind Ignored, or as an entry with an Err: an unknown event or
// path, a malformed filter, an environment under the wrong ID.
//
// # Secrets
//
// SDK keys and mobile keys are masked by every verb of package fmt and by package slog, alone and inside of the
// types of this package. No error text contains a value from an event, except the event's name and path.
//
// Encoding with encoding/json gives the real keys, because a wire type must survive it. slog.JSONHandler uses
// encoding/json for slices, maps and structs, unless they implement slog.LogValuer. It therefore shows the real
// keys in a []SDKKey, in a []*EnvironmentRep, or in a struct of another package with a key in it. A conversion
// to string gives the real key, too.
package decode
