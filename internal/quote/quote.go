// Package quote keeps text from outside from passing for something else.
package quote

import "strconv"

// Line returns s, quoted if it contains anything that Go quotes as an escape, such as a line feed.
func Line(s string) string {
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted
	}
	return s
}
