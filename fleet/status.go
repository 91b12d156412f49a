package fleet

import "time"

// A Status is what a publisher is doing.
type Status struct {
	// Holding is true while the publisher holds the lease, and false while it stands by.
	Holding bool
	// Since is when Holding became what it is.
	Since time.Time
	// Written counts the entries that the bucket has accepted. Renewals of the lease are not among them.
	Written uint64
	// Refused counts the entries that the bucket has refused because the lease had been lost.
	Refused uint64
	// Skipped counts the items that were not written because they are larger than NATS takes. Members keep what
	// they have of such an item.
	Skipped uint64
	// Err is why the publisher was interrupted last. It is nil once the publisher has written a complete
	// configuration since.
	Err error
}
