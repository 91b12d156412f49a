// Package hub is a placeholder.
package hub

import "time"

// A Reader is one who reads now.
type Reader struct {
	Address   string
	Since     time.Time
	Protocol  int
	UserAgent string
	Lag       int
}
