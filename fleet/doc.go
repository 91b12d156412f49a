// Package fleet carries the configuration to any number of members through a NATS JetStream key-value bucket, over one
// connection to the service.
//
//	err := fleet.Publish(ctx, js, key, autoconfig.Observe(key, nil), nil)
//	client, err := autoconfig.Open(ctx, key, &autoconfig.Options{Source: fleet.Source(js, key, nil)})
//
// Publish fills the bucket. Source is what a member's client has in the place of the connection. A process may be both.
// The bucket needs nats-server 2.12 or later.
//
// # Guarantees
//
//  1. One publisher at a time writes: the one that holds the lease. The others stand by, without a connection to the
//     service. One that ends hands over at once. One that dies is replaced when its lease has expired.
//  2. A publisher that was stopped for longer than its lease, and goes on, changes nothing: the server refuses what
//     it writes.
//  3. A publisher that takes over writes only what differs.
//  4. A member gets the changes that a subscriber of the service gets: those of one item in the same order, Synced after
//     all that it covers, and the same version again after an omission. Versions that are replaced before a member
//     has got them may be missing, as with stream.Coalesce.
//  5. A member's first Put is never incomplete, even if publishers write or die meanwhile. Until a first complete
//     configuration has been written it gets nothing, which is not the same as an empty one.
//  6. A member keeps what it has while NATS is out of reach. A short outage goes unnoticed. After 25 s the
//     subscription fails, the client's status tells, and the client subscribes again.
//  7. When Publish or a subscription has returned, it leaves no goroutine and no subscription, and no consumer on the
//     server if that could be reached. Otherwise the server removes it after 30 s.
//  8. A bucket that exists with other settings is not changed; see BucketError.
//
// # The lease
//
// The lease is an entry with a time to live. The holder renews it after a third of that time. Each batch of writes
// expects the sequence of the last renewal, and the server accepts or refuses the batch as a whole. The next batch, or
// renewal, is sent when the one before it was accepted. So nothing is refused but by the loss of the lease, and nothing
// is missing in between. A holder that could not renew in time, by its own clock, ends its subscription to the service
// before another can begin one.
//
// # The publisher's state
//
// A publisher applies what its source says to the configuration in the bucket, deletions with their versions included.
// So it ignores what is older than the bucket, and keeps the keys that linger, as a subscriber would that has been
// there from the beginning. What its source says until the first Synced that is not of a cache counts as one Put:
// what it does not mention is gone.
//
// An item that the first put of a new publisher lists, but that can't be used, stays as it is, as it would for such a
// subscriber. As the publisher does not learn which items these are, all that are not mentioned stay until a put has no
// such items.
//
// # The bucket
//
// It has the entries lease, synced (there is a complete configuration), listed (which items there are), and one for
// each environment and filter: the item, or that it was deleted and at what version, or a delete marker if a put
// omitted it. The latter two have a time to live. A member reads the bucket to the end, and until it has the items that
// listed tells. That is how it knows, while the bucket is being written, that nothing is missing.
//
// A version of an item does not follow those from before an omission. So an entry also tells in which life of the item
// it was written. A member that has missed the omission finds another life, and passes on an Omit first.
//
// # Secrecy
//
// Entries are encrypted and authenticated with AES-256-GCM, under a key derived from the auto-configuration key or
// Options.Secret, each for its bucket and name. Names are HMACs of the IDs. Somebody who can read the bucket but does
// not have the secret learns how many items there are, how large they are, and when they change. Somebody who can
// write to it can also hold entries back, delete them, and put back older ones of the same name. A member that starts
// notices missing items (ErrIncomplete), but not older ones. Markers without a sealed content are ignored.
package fleet
