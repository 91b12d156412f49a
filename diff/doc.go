// Package diff keeps the versioned state that messages describe, and emits how it changes.
//
// Changes is the whole package as one operator: an observable of messages in, an observable of changes out.
// State does the same for callers with several subscribers or a lock of their own. Table is the versioned map
// below it, which knows nothing of environments.
//
// # Order
//
// The changes of a message follow its order on the wire. A put changes environments, then filters, and ends
// with Synced. Of each kind, additions and updates come first and deletions last. A KeyExpired comes after the
// change that named the key and after the change that made it expire, and never after the EnvironmentDeleted.
//
// # Items
//
// The items that changes point to are shared and must not be modified. An item names only keys that are
// accepted. KeyExpired replaces an item by one without the keys that expired, and a key that has expired
// before a message names it is in no item. SDKKey.Expiring is never the current key. If SDKKeys is not empty,
// SDKKey.Expiring is one of these keys, with the same expiry, or empty.
package diff
