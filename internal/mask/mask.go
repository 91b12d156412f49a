// Package mask formats credentials without revealing them.
//
// The type of a credential is a defined string type whose Format method calls Format. No verb of package fmt prints
// the real value then. A conversion to string still gives it. The type of a struct that contains credentials has
// a Format method that calls Struct.
package mask

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	shown    = 4 // bytes at the end of a long credential that the masked form shows
	shortest = 9 // bytes of a credential that is long enough to show some
)

// String returns the masked form of secret. It shows the last four bytes of a secret of nine bytes or more, if they
// are visible ASCII, and nothing of another one. The masked form of the empty string is empty.
func String(secret string) string {
	switch {
	case secret == "":
		return ""
	case len(secret) < shortest || !visible(secret[len(secret)-shown:]):
		return "***"
	default:
		return "***" + secret[len(secret)-shown:]
	}
}

// visible reports whether s can stand in a line of text without passing for something else.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Format implements fmt.Formatter for a credential. %q and %#v print the masked form in quotes, and all other verbs
// print it without. Format ignores width and flags.
//
// Package fmt does not call the Format method of a credential in these cases, and prints the real value:
//
//   - The verb is %p or %w. go vet reports %w. (%T prints the type.)
//   - The credential is in an unexported field of a struct that has no Format method.
//   - The credential is in a struct without a Format method, a pointer to which is in another value, and the verb
//     is not one for pointers. go vet reports it.
func Format(f fmt.State, verb rune, secret string) {
	masked := String(secret)
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		masked = strconv.Quote(masked)
	}
	// An fmt.State writes to memory and returns no error.
	_, _ = f.Write([]byte(masked))
}

// Struct implements fmt.Formatter for a struct that contains credentials. It prints what package fmt prints for a
// struct without a Format method. fields is value, converted to a type without methods.
//
// The struct needs a Format method for pointers to it inside of other values, such as a []*T. For %s, or another
// verb that is not one for pointers, package fmt prints the struct that the pointer leads to without calling the
// Format methods of its fields.
func Struct(f fmt.State, verb rune, value, fields any) {
	if verb == 'v' && f.Flag('#') {
		_, _ = fmt.Fprintf(f, "%T%+v", value, fields)
		return
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), fields)
}
