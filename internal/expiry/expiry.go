// Package expiry reads the time at which a key expires.
package expiry

import "time"

const (
	// earliest is what any time before it becomes: the beginning of the year 1 is the zero time, which means never.
	earliest = 1
	// latest is what any time after it becomes: the end of the year 9999, for wherever a time is written with four
	// digits for the year, such as JSON. It is in that year in every time zone.
	latest = 253402214400000
)

// Time returns a time in milliseconds since the Unix epoch, and the zero time for 0, which means never. A time
// before 1970 becomes 1970, and one after the year 9999 becomes the end of that year.
func Time(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(min(max(milliseconds, earliest), latest))
}
