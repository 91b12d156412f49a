// Package hub serves the configuration of an [autoconfig.Client] on as the auto-configuration stream, for Relays and
// other clients that know nothing of this library: they take the hub for the service.
//
//	client, err := autoconfig.Open(ctx, key, nil)
//	…
//	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{key}})
//	…
//	server := &http.Server{Addr: ":8030", Handler: h, ReadHeaderTimeout: 10 * time.Second}
//
// # Contract
//
//  1. A reader gets a put with the configuration as it is when the reader arrives, or as it was a few changes before, and then
//     every later change, in order: nothing is missing between the two and nothing is in both. Before there is a configuration, it waits for the put.
//  2. An addition or update is a patch, a deletion is a delete of the same version. Where the service's put omitted an item,
//     readers get a put without it, so that they forget its version as the client did. Where it omitted an item that was
//     deleted before, they get one when the item comes back with an old version. No other put of the service is passed on,
//     because what it changed is. A reader that has read everything has the client's configuration.
//  3. Each state and each change is encoded once, however many readers there are, and not before it is needed. Readers that
//     arrive while the configuration changes share a put until the changes since have about a quarter of its size.
//  4. A reader delays nobody: one that lags by more than Options.MaxBacklog, or that takes nothing for Options.WriteTimeout, is
//     cut off. Readers share what is encoded; over HTTP/1.1 each has two small goroutines and no buffer while it waits.
//  5. The hub keeps serving while the client has lost its connection. Its readers' streams end when the client ends.
//
// # What is not passed on
//
// A hub tells what a put or patch of the service can tell. The SDK key that a newer one has displaced from the single slot of
// expiring keys lingers until its time with clients that knew it; a newcomer does not hear of it from a hub, as it would not
// from the service. Nor does the hub tell that a key has expired: readers have clocks. The configuration is the client's, which
// lacks the keys whose time was past by the hub's clock, and environments that the client refused.
//
// # Several hubs
//
// The client of a hub may read from another hub. A reader that goes from one hub to another which lags behind the first keeps
// what is newer, because items have versions; an item that the second does not know yet is deleted, and added when it does.
package hub
