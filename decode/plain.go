package decode

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
)

// The functions of the fast path take data and the position to read at. They return the position of what
// follows, or failed if something else is there. Given failed they return failed, so that a caller can check
// once, at the end.

// failed is a position beyond any data, even if lengths are added to it.
const failed = math.MaxInt / 2

// char reads c.
func char(data []byte, pos int, c byte) int {
	if pos >= len(data) || data[pos] != c {
		return failed
	}
	return pos + 1
}

// comma reads a comma if there is one and reports whether there was.
func comma(data []byte, pos int) (next int, ok bool) {
	if pos < len(data) && data[pos] == ',' {
		return pos + 1, true
	}
	return pos, false
}

// blank reads a blank if there is one.
func blank(data []byte, pos int) int {
	if pos < len(data) && data[pos] == ' ' {
		return pos + 1
	}
	return pos
}

// spaces reads white space, but no more than decoding may go on without a check of the context.
func spaces(data []byte, pos int) int {
	limit := min(len(data), pos+checkEvery)
	for pos < limit && isSpace(data[pos]) {
		pos++
	}
	return pos
}

// A token is a text of 8 to 16 bytes, stored as its first and last eight bytes, which may overlap. Comparing it
// takes less time than comparing strings; see BenchmarkPatch/changed.
type token struct {
	first, last uint64
	length      int
}

func tokenOf(s string) token {
	return token{word([]byte(s), 0), word([]byte(s), len(s)-8), len(s)}
}

// read reads the token.
func (t *token) read(data []byte, pos int) int {
	next := pos + t.length
	if next > len(data) || word(data, pos) != t.first || word(data, next-8) != t.last {
		return failed
	}
	return next
}

// word returns the eight bytes at pos as a number, the first byte lowest.
func word(data []byte, pos int) uint64 {
	return binary.LittleEndian.Uint64(data[pos : pos+8])
}

// integer reads an integer without a sign and of at most 18 digits, so that it fits an int64. The caller checks
// what follows, which rules out a fraction or an exponent.
func integer(data []byte, pos int) (n int64, next int) {
	next = pos
	for next < len(data) && next <= pos+18 {
		digit := data[next] - '0'
		if digit > 9 {
			break
		}
		n = n*10 + int64(digit)
		next++
	}
	if digits := next - pos; digits == 0 || digits > 18 || digits > 1 && data[pos] == '0' {
		return 0, failed
	}
	return n, next
}

// narrow converts the result of integer to an int. It fails if n does not fit, which happens if an int has 32 bits.
func narrow(n int64, pos int) (narrowed, next int) {
	if int64(int(n)) != n {
		return 0, failed
	}
	return int(n), pos
}

// boolean reads true or false.
func boolean(data []byte, pos int) (value bool, next int) {
	switch {
	case pos+4 <= len(data) && string(data[pos:pos+4]) == "true":
		return true, pos + 4
	case pos+5 <= len(data) && string(data[pos:pos+5]) == "false":
		return false, pos + 5
	}
	return false, failed
}

// text reads the rest of a plain string after its opening quote. In a plain string every byte stands for itself. It
// fails if the string is longer than decoding may go on without a check of the context.
func text(data []byte, pos int) (s []byte, next int) {
	if pos > len(data) {
		return nil, failed
	}
	s = data[pos:min(len(data), pos+checkEvery)]
	n := plainASCII(s)
	if n == len(s) || s[n] != '"' {
		if n = plainUTF8(s, n); n < 0 {
			return nil, failed
		}
	}
	return s[:n:n], pos + n + 1
}

// sameText reads the rest of a string after its opening quote if it is plain ASCII, equal to s, and not too long for text.
// It collects the differences of all words and checks them once, which takes less time than text and a comparison; see
// BenchmarkPatch/changed.
func sameText(data []byte, pos int, s string) int {
	end := pos + len(s)
	if end >= len(data) || len(s) >= checkEvery || data[end] != '"' {
		return failed
	}
	want := []byte(s)
	if len(want) < 8 {
		w := short(data[pos:end])
		if w != short(want) || suspicious(w)&highs != 0 {
			return failed
		}
		return end + 1
	}
	w := word(data, end-8)
	differs, suspect := w^word(want, len(want)-8), suspicious(w)
	for i := 0; i < len(want)-8; i += 8 {
		w := word(data, pos+i)
		differs |= w ^ word(want, i)
		suspect |= suspicious(w)
	}
	if differs|suspect&highs != 0 {
		return failed
	}
	return end + 1
}

// short is word for fewer than eight bytes, with blanks behind them.
func short(s []byte) uint64 {
	w := uint64(ones * ' ')
	for i := len(s) - 1; i >= 0; i-- {
		w = w<<8 | uint64(s[i])
	}
	return w
}

// plainASCII returns the length of the plain ASCII text at the beginning of s.
func plainASCII(s []byte) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if found := special(word(s, i)); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && special(short(s[i:i+1])) == 0 {
		i++
	}
	return i
}

// plainUTF8 returns the length of the plain string at the beginning of s, whose first n bytes are known to be plain
// ASCII. It returns -1 if the string is not plain, because of an escape, a control character or invalid UTF-8, or
// does not end.
func plainUTF8(s []byte, n int) int {
	end := bytes.IndexByte(s[n:], '"')
	if end < 0 {
		return -1
	}
	for _, b := range s[n : n+end] {
		if b < 0x20 || b == '\\' {
			return -1
		}
	}
	if !utf8.Valid(s[n : n+end]) {
		return -1
	}
	return n + end
}

// suspicious returns a word without any high bit of a byte set if all bytes of w are plain ASCII, and with some of
// them set otherwise. Flipping the second bit turns a quote into 0x20 and keeps control characters below that,
// so that one subtraction finds both.
func suspicious(w uint64) uint64 {
	return w | ((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special finds quotes, backslashes, control characters and bytes beyond ASCII in w. It returns a word whose lowest
// set bit is the high bit of the first such byte, or 0 if there is none.
//
// Subtracting 1 from a byte that is 0, or 0x20 from one below 0x20, borrows from its high bit. A borrow from a
// byte can only disturb the bytes behind it.
func special(w uint64) uint64 {
	quote, backslash := w^ones*'"', w^ones*'\\'
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*0x20)&^w | w) & highs
}
