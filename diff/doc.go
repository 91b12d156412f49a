// Package diff keeps the versioned state that messages describe, and emits how it changes.
//
// Changes is the whole of it as an operator: an observable of messages in, an observable of changes
// out. State is the same for a program with several subscribers, or with a lock of its own, and Table is
// the versioned map below it, free of any domain.
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
// The items that changes point to are shared and must not be modified. An item names only keys that
// are accepted: one that expires is taken out of the item when it does, by KeyExpired, and one that
// has expired already when a message names it is never there. SDKKey.Expiring is never the current key,
// and beside SDKKeys it is one of these, with their expiry, or empty.
package diff
