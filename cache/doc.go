// Package cache keeps a configuration from one run of a program to the next, so that the program has something to
// go by while the server can't be reached.
//
// A Store keeps the data: File is one, and a database can be another. A Cache connects a Store to a configuration
// in two ways. Cache.Load is a source: it yields the saved configuration as the first message of a stream.
// Cache.Save is a subscriber: it follows the changes and saves the configuration they lead to.
//
// # Guarantees
//
//  1. The data is sealed: encrypted and authenticated under a key derived from the auto-configuration key. A Store
//     need neither keep it secret nor check it.
//  2. Calls of the Store are made one at a time. The stream never waits for them.
//  3. Only what the server has said is saved, and only once a put of the server's has completed it. What the Store
//     holds already is not saved again.
//  4. Saves are at least a second apart. After one that failed, the next follows a minute later. When no more
//     changes can come, neither pause delays the last save.
//  5. When the context of Load or Save ends, nothing new is begun, and the call returns at once. A Store that
//     ignores its context gets 20 ms; after that its call is left alone on its goroutine, and holds up nothing but
//     the later calls of the same Cache.
//  6. Nothing is reported after Load or Save has returned.
package cache
