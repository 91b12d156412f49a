package decode

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// A reader reads JSON of any form. It accepts what encoding/json accepts, with the same values, and reports the
// same errors at the same offsets. Unlike encoding/json it reads one part at a time, skips what is not needed,
// and stops when the context ends.
//
// A method that reads a value expects pos before the value, white space included, and leaves it behind the
// value. After a syntax error or the end of the context, pos is the end of data, so that every method fails.
type reader struct {
	data      []byte
	pos       int
	budget    *budget
	stack     []frame
	err       error // the syntax error, which makes everything else meaningless
	mistake   error // the first value of a wrong type, or ErrTooMany
	maxListed int   // Options.MaxListed
	window          // where data comes from
}

// A frame is an object or array that is being read.
type frame struct {
	shape  *shape
	member int // the member that is being read, if the shape is a struct
}

// maxDepth is the depth of nesting that encoding/json accepts.
const maxDepth = 10_000

// A shape is a Go type that a JSON object or array is decoded into.
type shape struct {
	typ         reflect.Type
	open, close byte
	members     []string // the names of the members, if typ is a struct
}

func structOf[T any](members ...string) shape {
	return shape{reflect.TypeFor[T](), '{', '}', members}
}

func mapOf[T any]() shape  { return shape{reflect.TypeFor[T](), '{', '}', nil} }
func listOf[T any]() shape { return shape{reflect.TypeFor[T](), '[', ']', nil} }

// unknownObject and unknownArray are the shapes of values that are skipped.
var unknownObject, unknownArray = mapOf[map[string]any](), listOf[[]any]()

// index returns the index of the member with the name, or -1. Like encoding/json it prefers the exact name to
// one that differs in case. Members mostly come in order, so it begins at the last one that was read.
func (s *shape) index(name []byte, last int) int {
	for i := range s.members {
		m := last + i
		if m >= len(s.members) {
			m -= len(s.members)
		}
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

// begin reads the opening bracket of an object or array and reports whether an element follows. A value of
// another type is skipped and recorded as a mistake.
func (r *reader) begin(s *shape) bool {
	if r.peek() != s.open {
		r.mismatch(s.typ)
		return false
	}
	if len(r.stack) == maxDepth {
		r.fail()
		return false
	}
	r.pos++
	r.spend(len("[]"))
	r.stack = append(r.stack, frame{shape: s})
	return r.peek() != s.close || r.end()
}

// next reads the comma or bracket behind an element and reports whether another element follows.
func (r *reader) next() bool {
	r.spend(len(","))
	switch r.peek() {
	case ',':
		r.pos++
		return true
	case r.stack[len(r.stack)-1].shape.close:
		return r.end()
	}
	r.fail()
	return false
}

// end reads the closing bracket. It returns false.
func (r *reader) end() bool {
	r.pos++
	r.stack = r.stack[:len(r.stack)-1]
	return false
}

// name reads the name of a member and the colon behind it.
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

// member reads the name of a member of a struct and returns its index, or -1 if the struct has no such member.
func (r *reader) member() int {
	top := &r.stack[len(r.stack)-1]
	top.member = top.shape.index(r.name(), max(top.member, 0))
	return top.member
}

// peek skips white space and returns the next byte, or 0 at the end.
func (r *reader) peek() (c byte) {
	if r.pos < len(r.data) {
		c = r.data[r.pos]
	}
	if c <= ' ' {
		c = r.peekSpaced()
	}
	return c
}

// peekSpaced is peek where there may be white space.
func (r *reader) peekSpaced() byte {
	for r.pos < len(r.data) && r.spend(1) {
		if c := r.data[r.pos]; !isSpace(c) {
			return c
		}
		r.pos++
	}
	return 0
}

// spend spends n bytes of the budget and reports whether to go on.
func (r *reader) spend(n int) bool { return r.budget.spend(n) || r.stop() }

// advance makes pos the next position to read at.
func (r *reader) advance(pos int) {
	n := pos - r.pos
	r.pos = pos
	r.spend(n)
}

// stop makes everything fail. It returns false.
func (r *reader) stop() bool {
	r.pos = len(r.data)
	return false
}

// fail records a syntax error at pos.
func (r *reader) fail() {
	if r.err == nil {
		r.short = r.pos >= len(r.data)
		r.err = syntaxError{&json.SyntaxError{Offset: int64(r.before + min(r.pos+1, len(r.data)))}}
	}
	r.pos = len(r.data)
}

// finish checks that nothing but white space is left and returns the error of the whole value, or nil.
func (r *reader) finish() error {
	r.whole(func() { r.peek() })
	if r.pos < len(r.data) {
		r.fail()
	}
	if r.err != nil {
		return r.err
	}
	return r.mistake
}

// reset makes the reader ready for data.
func (r *reader) reset(data []byte) {
	const keep = 64 // frames: far more than usual
	stack := r.stack[:0]
	if cap(stack) > keep {
		stack = nil
	}
	*r = reader{data: data, budget: r.budget, stack: stack, maxListed: r.maxListed, window: window{size: r.size}}
}

// forget drops references to the data.
func (r *reader) forget() {
	if r.data != nil {
		r.reset(nil)
	}
}

// each reads an object or array whose elements may arrive one by one. It calls read for each element.
func (r *reader) each(s *shape, read func()) {
	more := false
	for r.whole(func() { more = r.begin(s) }); more; r.whole(func() { more = r.next() }) {
		read()
	}
}

// isolate calls read and returns the first mistake in what it reads. The mistake is not recorded.
func (r *reader) isolate(read func()) error {
	outer := r.mistake
	r.mistake = nil
	read()
	mistake := r.mistake
	r.mistake = outer
	return mistake
}

// mismatch skips a value that does not have the expected type and records the mistake. Null is no mistake.
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

// kindOf returns the JSON type of a value by its first byte, in the words of json.UnmarshalTypeError.
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

// record records a value of a wrong type as the first mistake, if there is none yet. It keeps the JSON type of the
// value and not the value, which may be a key.
func (r *reader) record(value string, expected reflect.Type, at int) {
	if r.mistake != nil || r.err != nil {
		return
	}
	mistake := &json.UnmarshalTypeError{Value: value, Type: expected, Offset: int64(r.before + at)}
	var path []string
	for _, f := range r.stack {
		if f.shape.members != nil {
			path = append(path, f.shape.members[f.member])
			mistake.Struct = f.shape.typ.Name()
		}
	}
	mistake.Field = strings.Join(path, ".")
	r.mistake = mistake
}

// tooMany reports whether n items are more than allowed. If so it records the mistake.
func (r *reader) tooMany(n int) bool {
	if n <= r.maxListed {
		return false
	}
	if r.mistake == nil {
		r.mistake = ErrTooMany
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
		r.between()
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
		if r.pos >= len(r.data) || r.data[r.pos] != word[i] {
			r.fail()
			return
		}
		r.pos++
	}
}

// null reports whether the value is null. If so it reads it.
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

// number reads a number and returns it as it is written.
func (r *reader) number() []byte {
	start := r.pos
	r.accept("-")
	if !r.accept("0") && !r.digits() {
		return nil
	}
	if r.accept(".") && !r.digits() {
		return nil
	}
	if r.accept("eE") {
		if r.accept("+-"); !r.digits() {
			return nil
		}
	}
	return r.data[start:r.pos]
}

// accept reads the next byte if it is in set and reports whether it was.
func (r *reader) accept(set string) bool {
	if r.pos >= len(r.data) || strings.IndexByte(set, r.data[r.pos]) < 0 {
		return false
	}
	r.pos++
	return true
}

// digits reads one or more digits and reports whether there were any. None is a syntax error.
func (r *reader) digits() bool {
	if r.pos >= len(r.data) || !isDigit(r.data[r.pos]) {
		r.fail()
		return false
	}
	for r.pos < len(r.data) && isDigit(r.data[r.pos]) && r.spend(1) {
		r.pos++
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
