// Package quote says how text from outside can stand in a log or an error.
package quote

import "strconv"

// Line returns s, quoted if it contains anything that Go quotes as an escape, such as a line feed.
func Line(s string) string {
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		return quoted
	}
	return s
}

const (
	// maxLength and maxDigits tell names from keys.
	maxLength = 24
	maxDigits = 3
)

// IsName reports whether s looks like a name of the protocol, such as that of an event or half of a media type, so
// that it can be shown. Where a server has made a mistake, anything can stand in the place of a name, even a key.
func IsName(s string) bool {
	digits := 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '+', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxLength && digits <= maxDigits
}
