// Package mask shows credentials without revealing them.
//
// A credential type is a defined string. It forwards its Format method here, so that no verb of
// package fmt prints the real value; a conversion to string gives it. So does a struct that has
// credentials in it, for the sake of pointers to it.
package mask

import (
	"fmt"
	"strconv"
)

// shown is how many trailing characters of a credential stay visible, and minLength the length
// that a credential must exceed for any to be: the end of a short one would be most of it.
const (
	shown     = 4
	minLength = 8
)

// String returns secret with all but its last four bytes hidden, and wholly hidden if it is no
// longer than eight bytes. The empty string stays empty: it is no secret, and worth telling apart.
func String(secret string) string {
	switch {
	case secret == "":
		return ""
	case len(secret) <= minLength:
		return "***"
	default:
		return "***" + secret[len(secret)-shown:]
	}
}

// Format implements fmt.Formatter for a credential: %q and %#v print the masked form quoted,
// every other verb as it is. Width and flags are ignored.
//
// Package fmt itself does not ask a Formatter for %T, which shows the type alone, and for %p and %w,
// which show the real value. Neither is a verb for a credential: go vet reports every %w and no %p.
// Nor does it ask one that is in an unexported field of a struct that has no Format of its own, or behind
// a pointer to such a struct inside of another value if the verb suits no pointer; go vet reports the
// latter.
func Format(f fmt.State, verb rune, secret string) {
	masked := String(secret)
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		masked = strconv.Quote(masked)
	}
	// An fmt.State writes to memory and reports no error.
	_, _ = f.Write([]byte(masked))
}

// Struct implements fmt.Formatter for a struct that has credentials in it, as package fmt would do it
// without: fields is value as a type without methods. It is needed because of the pointer to such a
// struct inside of another value, a []*T for example. For %s, and any other verb that suits no pointer,
// package fmt shows all that the pointer leads to and asks none of it, only the pointer itself.
func Struct(f fmt.State, verb rune, value, fields any) {
	if verb == 'v' && f.Flag('#') {
		_, _ = fmt.Fprintf(f, "%T%+v", value, fields)
		return
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), fields)
}
