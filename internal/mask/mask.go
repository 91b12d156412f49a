// Package mask formats credentials without revealing them.
//
// A credential type is a defined string. Its Format method calls [Format], so no verb of package fmt
// prints the real value; a conversion to string returns it. The Format method of a struct that
// contains credentials calls [Struct], for the sake of pointers to the struct.
package mask

import (
	"fmt"
	"strconv"
)

// The last shown bytes of a credential are visible if it is longer than minLength. The end of a
// shorter one would be most of it.
const (
	shown     = 4
	minLength = 8
)

// String returns secret with all but its last four bytes hidden. It hides all of a secret of eight
// bytes or fewer. The empty string stays empty: it is not a secret, and readers should see that it is
// missing.
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

// Format implements fmt.Formatter for a credential. The verbs %q and %#v print the masked form
// quoted; all others print it as it is. Width and flags are ignored.
//
// Package fmt does not call a Formatter for %T, which prints only the type, nor for %p and %w, which
// print the real value; go vet reports every %w but no %p. It does not call the Formatter of an
// unexported field of a struct without a Format method. If another value contains a pointer to such a
// struct, and the verb doesn't apply to pointers, it calls none behind the pointer; go vet reports
// this case.
func Format(f fmt.State, verb rune, secret string) {
	masked := String(secret)
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		masked = strconv.Quote(masked)
	}
	// An fmt.State writes to memory and reports no error.
	_, _ = f.Write([]byte(masked))
}

// Struct implements fmt.Formatter for a struct that contains credentials. It prints what package fmt
// would print without it; fields is value converted to a type without methods. It is needed for a
// pointer to such a struct inside another value, for example a []*T: for %s, and any other verb that
// doesn't apply to pointers, package fmt prints the target of the pointer and calls no Formatter in
// it. It calls only that of the pointer.
func Struct(f fmt.State, verb rune, value, fields any) {
	if verb == 'v' && f.Flag('#') {
		_, _ = fmt.Fprintf(f, "%T%+v", value, fields)
		return
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), fields)
}
