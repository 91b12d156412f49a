// Package diff keeps the versioned state that messages describe, and emits how it changes.
//
// Changes is an operator: it turns an observable of messages into an observable of changes. State is the same
// for programs with several subscribers or a lock of their own. Table is the versioned map below State; it
// knows nothing of environments and filters.
//
// # Order
//
// The changes of a message follow its order on the wire. A put's changes are those of the
// environments, then those of the filters, each additions and updates first and deletions last, and
// then Synced. A KeyExpired comes after the EnvironmentAdded that named the key, after the change
// that made the key expire, and never after the EnvironmentDeleted.
//
// # Items
//
// The items that changes point to are shared and must not be modified. An item says what is accepted:
//
//   - It names no key that has expired. A key that has expired when a message names it is left out, and a key
//     that expires later is taken out by KeyExpired.
//   - Its current keys have no expiry, whatever the arrays of the message say.
//   - Its SDKKey.Expiring is never the current key. Beside SDKKeys it is one of these, with their expiry, or empty.
//   - Its Lingering are the SDK keys that a newer key took the single slot from, until they expire.
//
// # Keys
//
// A KeyExpired follows from two items: the keys that expire between Old and New are those that Old accepts
// with an expiry and New does not accept. So one change can stand for thousands of keys, and changes can be
// merged while they wait for a slow subscriber. Change.Split returns the individual changes.
//
// A subscriber can therefore keep up in one of two ways. It takes EnvironmentRep.AcceptedKeys of each New. Or it
// takes the keys that each New names, and keeps those with an expiry until their KeyExpired.
package diff
