package decode

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// A reader reads a JSON value of any form, and says of it what encoding/json says: the same texts and numbers,
// the same errors at the same offsets. It knows where in the value it is, so that whoever reads with it takes
// an environment at a time, skips what nobody wants, and stops when the context ends.
//
// The position stands before a value when a method begins that reads one, and behind it when it returns.
// After a syntax error, or the end of the context, everything fails: the position is the end of data.
type reader struct {
	data      []byte
	pos       int
	pace      *pace
	nest      []nesting
	err       error // a syntax error; what else was read is of no use
	wrong     error // the first mistake: a value of a wrong type, or ErrTooMany
	maxListed int
}

// A nesting is an object or array that has begun.
type nesting struct {
	shape  *shape
	member int // the one being read, if shape has any
}

// maxDepth is how deep encoding/json lets values nest.
const maxDepth = 10_000

// A shape is a type that an object or array is decoded into.
type shape struct {
	typ         reflect.Type
	open, close byte
	members     []string // of a struct
}

func structOf[T any](members ...string) shape {
	return shape{reflect.TypeFor[T](), '{', '}', members}
}

func mapOf[T any]() shape  { return shape{reflect.TypeFor[T](), '{', '}', nil} }
func listOf[T any]() shape { return shape{reflect.TypeFor[T](), '[', ']', nil} }

// unknownObject and unknownArray are values that are skipped.
var unknownObject, unknownArray = mapOf[map[string]any](), listOf[[]any]()

// index returns the member of that name, -1 if there is none. Like encoding/json, it prefers the exact name.
func (s *shape) index(name []byte) int {
	for m := range s.members {
		if string(name) == s.members[m] {
			return m
		}
	}
	for m := range s.members {
		if bytes.EqualFold(name, []byte(s.members[m])) {
			return m
		}
	}
	return -1
}

// begin reads the beginning of an object or array and reports whether there is an element to read. After the
// element, next does so for the next one. A value of another type is skipped.
func (r *reader) begin(s *shape) bool {
	if r.peek() != s.open {
		r.mismatch(s.typ)
		return false
	}
	if len(r.nest) == maxDepth {
		r.fail()
		return false
	}
	r.pos++
	r.nest = append(r.nest, nesting{shape: s})
	return r.peek() != s.close || r.end()
}

// next reads what follows an element and reports whether there is another one.
func (r *reader) next() bool {
	switch r.peek() {
	case ',':
		r.pos++
		return true
	case r.nest[len(r.nest)-1].shape.close:
		return r.end()
	}
	r.fail()
	return false
}

// end reads the closing bracket, and returns false.
func (r *reader) end() bool {
	r.pos++
	r.nest = r.nest[:len(r.nest)-1]
	return false
}

// name reads the name of an object's member, and the colon.
func (r *reader) name() []byte {
	if r.peek() != '"' {
		r.fail()
		return nil
	}
	name := r.quoted()
	if r.peek() != ':' {
		r.fail()
		return nil
	}
	r.pos++
	return name
}

// member reads the name of a struct's member and returns its index, -1 if it is unknown.
func (r *reader) member() int {
	innermost := &r.nest[len(r.nest)-1]
	innermost.member = innermost.shape.index(r.name())
	return innermost.member
}

// peek skips white space and returns the byte behind it, 0 at the end.
func (r *reader) peek() byte {
	for r.pos < len(r.data) && r.spend(1) {
		c := r.data[r.pos]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		r.pos++
	}
	return 0
}

// spend accounts for n bytes and reports whether to go on.
func (r *reader) spend(n int) bool {
	if r.pace.spend(n) {
		return true
	}
	r.pos = len(r.data)
	return false
}

// fail records a syntax error at the position.
func (r *reader) fail() {
	if r.err == nil {
		r.err = syntaxError{&json.SyntaxError{Offset: int64(min(r.pos+1, len(r.data)))}}
	}
	r.pos = len(r.data)
}

// finish reads the end of the data and returns what was wrong with it.
func (r *reader) finish() error {
	if r.peek(); r.pos < len(r.data) {
		r.fail()
	}
	if r.err != nil {
		return r.err
	}
	return r.wrong
}

// forget drops what the reader refers to, and the memory for a nesting deeper than usual.
func (r *reader) forget() {
	nest := r.nest[:0]
	if cap(nest) > 64 {
		nest = nil
	}
	*r = reader{nest: nest, maxListed: r.maxListed, pace: r.pace}
}

// apart calls read and returns the mistake in what it reads, which then does not count for the whole value.
func (r *reader) apart(read func()) error {
	outer := r.wrong
	r.wrong = nil
	read()
	mistake := r.wrong
	r.wrong = outer
	return mistake
}

// mismatch skips a value that is not of the type that is expected. Null is a value of every type.
func (r *reader) mismatch(expected reflect.Type) {
	c := r.peek()
	if c == 'n' {
		r.literal("null")
		return
	}
	start := r.pos
	r.skip()
	at := r.pos
	if c == '{' || c == '[' {
		at = start + 1
	}
	r.record(kindOf(c), expected, at)
}

// kindOf returns the JSON type of a value, as json.UnmarshalTypeError names it, by its first byte.
func kindOf(first byte) string {
	switch first {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// record records a value of a wrong type, which was noticed at a position. Of the value it keeps only the
// JSON type: the value itself may be a key.
func (r *reader) record(value string, expected reflect.Type, at int) {
	if r.wrong != nil || r.err != nil {
		return
	}
	mistake := &json.UnmarshalTypeError{Value: value, Type: expected, Offset: int64(at)}
	var path []string
	for _, n := range r.nest {
		if n.shape.members != nil {
			path = append(path, n.shape.members[n.member])
			mistake.Struct = n.shape.typ.Name()
		}
	}
	mistake.Field = strings.Join(path, ".")
	r.wrong = mistake
}

// tooMany records that n items are more than allowed, if they are, and reports whether they are.
func (r *reader) tooMany(n int) bool {
	if n <= r.maxListed {
		return false
	}
	if r.wrong == nil {
		r.wrong = ErrTooMany
	}
	return true
}

// skip reads any value.
func (r *reader) skip() {
	switch r.peek() {
	case '{':
		for more := r.begin(&unknownObject); more; more = r.next() {
			r.name()
			r.skip()
		}
	case '[':
		for more := r.begin(&unknownArray); more; more = r.next() {
			r.skip()
		}
	case '"':
		r.quoted()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		r.number()
	}
}

// literal reads word.
func (r *reader) literal(word string) {
	r.spend(len(word))
	for i := range len(word) {
		if r.pos == len(r.data) || r.data[r.pos] != word[i] {
			r.fail()
			return
		}
		r.pos++
	}
}

// null reads null, if that is what comes, and reports whether it was.
func (r *reader) null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.literal("null")
	return true
}

// boolean reads a boolean into b.
func (r *reader) boolean(b *bool) {
	switch r.peek() {
	case 't':
		r.literal("true")
		*b = true
	case 'f':
		r.literal("false")
		*b = false
	default:
		r.mismatch(reflect.TypeFor[bool]())
	}
}

// readInteger reads an integer into n.
func readInteger[T int | int64](r *reader, n *T) {
	expected := reflect.TypeFor[T]()
	if c := r.peek(); c != '-' && !isDigit(c) {
		r.mismatch(expected)
		return
	}
	number := r.number()
	const longest = len("-9223372036854775808")
	if len(number) <= longest {
		if value, err := strconv.ParseInt(string(number), 10, expected.Bits()); err == nil {
			*n = T(value)
			return
		}
	}
	r.record("number", expected, r.pos)
}

// number reads a number.
func (r *reader) number() []byte {
	start := r.pos
	r.oneOf("-")
	if !r.oneOf("0") && !r.digits() {
		return nil
	}
	if r.oneOf(".") && !r.digits() {
		return nil
	}
	if r.oneOf("eE") {
		if r.oneOf("+-"); !r.digits() {
			return nil
		}
	}
	return r.data[start:r.pos]
}

// oneOf reads one of the bytes, if one is there.
func (r *reader) oneOf(bytes string) bool {
	if r.pos == len(r.data) || strings.IndexByte(bytes, r.data[r.pos]) < 0 {
		return false
	}
	r.pos++
	return true
}

// digits reads digits, of which there must be one.
func (r *reader) digits() bool {
	if r.pos == len(r.data) || !isDigit(r.data[r.pos]) {
		r.fail()
		return false
	}
	for r.pos < len(r.data) && isDigit(r.data[r.pos]) && r.spend(1) {
		r.pos++
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
