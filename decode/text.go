package decode

import (
	"reflect"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// readText reads a string. ok is false if the value is null or, which is a mistake, of another type.
func readText[T ~string](r *reader) (text []byte, ok bool) {
	if r.peek() != '"' {
		r.mismatch(reflect.TypeFor[T]())
		return nil, false
	}
	return r.quoted(), true
}

// quoted reads a string and returns its text. The text is a part of data if the string is plain.
func (r *reader) quoted() []byte {
	raw, plain := r.between()
	if plain {
		return raw
	}
	return r.unquote(raw)
}

// between reads a string and returns what stands between its quotes. That is its text if plain is true.
func (r *reader) between() (raw []byte, plain bool) {
	if s, next := text(r.data, r.pos+1); next != failed && r.spend(len(s)+len(`""`)) {
		r.pos = next
		return s, true
	}
	r.pos++
	for start := r.pos; r.pos < len(r.data); {
		n := plainASCII(r.data[r.pos:min(r.pos+checkEvery, len(r.data))])
		if r.pos += n; !r.spend(n+1) || r.pos == len(r.data) {
			break
		}
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return r.data[start : r.pos-1], false
		case c == '\\':
			r.escape()
		case c < ' ':
			r.fail()
		default:
			r.pos++
		}
	}
	r.fail()
	return nil, false
}

// escape reads an escape sequence.
func (r *reader) escape() {
	r.pos++
	if !r.accept("u") {
		if !r.accept(`"\/bfnrt`) {
			r.fail()
		}
		return
	}
	r.spend(4)
	for range 4 {
		if !r.accept("0123456789abcdefABCDEF") {
			r.fail()
			return
		}
	}
}

// unquote returns the text of a string. raw is what stands between its quotes.
func (r *reader) unquote(raw []byte) []byte {
	text := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		n := plainASCII(raw[:min(checkEvery, len(raw))])
		text, raw = append(text, raw[:n]...), raw[n:]
		if !r.spend(n+1) || len(raw) == 0 {
			break
		}
		var char rune
		if raw[0] == '\\' {
			char, n = unescape(raw)
		} else {
			char, n = utf8.DecodeRune(raw)
		}
		text, raw = utf8.AppendRune(text, char), raw[n:]
	}
	return text
}

// unescape decodes the escape sequence, or the pair of them for one character, at the beginning of s. It returns
// the character and the length of what it decoded.
func unescape(s []byte) (char rune, size int) {
	switch c := s[1]; c {
	case 'u':
		char = codeUnit(s)
		if !utf16.IsSurrogate(char) {
			return char, 6
		}
		if char = utf16.DecodeRune(char, codeUnit(s[6:])); char == utf8.RuneError {
			return char, 6
		}
		return char, 12
	default:
		const letters, meanings = "bfnrt", "\b\f\n\r\t"
		if i := strings.IndexByte(letters, c); i >= 0 {
			c = meanings[i]
		}
		return rune(c), 2
	}
}

// codeUnit decodes the escape sequence \uXXXX at the beginning of s. It returns 0 if there is none.
func codeUnit(s []byte) (unit rune) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0
	}
	for _, c := range s[2:6] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		unit = unit<<4 | rune(c)
	}
	return unit
}

// readString reads a string into s. Null leaves s as it is.
func readString(r *reader, s *string) {
	if text, ok := readText[string](r); ok {
		*s = string(text)
	}
}
