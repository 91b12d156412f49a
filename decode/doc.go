// Package decode turns the events of the auto-configuration stream into typed messages.
//
// Messages maps an observable of server-sent events to an observable of messages. It accepts exactly
// what encoding/json accepts into the wire types (PutMessageData and the others), with the same values and
// the same errors.
//
// What ends a connection is an error that ends the observable:
//
//   - *MalformedError: an event that is not what the protocol allows
//   - *RefusedError: an environment whose key sets contradict each other; whatever else its message
//     said has been passed on before
//   - ErrReconnect: the server asked for a new connection
//
// What costs nobody anything is passed on as a message of kind Ignored, or as an entry with an Err:
// an unknown event or path, a malformed filter, an environment under a wrong ID.
//
// No error carries payload, because payload carries keys.
package decode
