package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/relaystream/autoconfig/internal/quote"
)

// ErrReconnect ends the messages of a connection when the server asks for a new one.
var ErrReconnect = errors.New("decode: the server asked to reconnect")

// These errors are the Err of an *IgnoredError.
var (
	// ErrUnknownEvent reports an event that is not part of the protocol.
	ErrUnknownEvent = errors.New("unknown event name")
	// ErrPutPath reports a put whose path is not "/".
	ErrPutPath = errors.New("path of a put is not \"/\"")
	// ErrUnknownPath reports a patch or delete whose path is neither that of an environment nor that of a
	// filter.
	ErrUnknownPath = errors.New("path names neither an environment nor a filter")
	// ErrWrongID reports an environment whose envID is empty, or differs from the ID in its path or map key.
	ErrWrongID = errors.New("envID differs from the ID in the path or map key")
)

// These errors are the Err of a *RefusedError.
var (
	// ErrAnchor reports a set of accepted keys that lacks the current key.
	ErrAnchor = errors.New("current key is missing from the set of accepted keys")
	// ErrEmptyKey reports a set of accepted keys that contains an empty key.
	ErrEmptyKey = errors.New("set of accepted keys contains an empty key")
)

// ErrTooMany reports a put, or an environment, that lists more items than Options.MaxListed. It is the Err of a
// *MalformedError.
var ErrTooMany = errors.New("more items than allowed")

var (
	errNoContent       = errors.New("data or data.environments is missing")
	errNoFilter        = errors.New("filter or its ID is missing")
	errNegativeVersion = errors.New("version is negative")
)

// A MalformedError reports an event that violates the protocol. Its text never contains a value from the event.
type MalformedError struct {
	// Event is the name of the event.
	Event string
	// Offset is the number of bytes of the event's data that were read before the error was noticed. It is 0
	// if the cause is not an error in the JSON.
	Offset int64
	// Err is the cause. For an error in the JSON, errors.As finds a *json.SyntaxError or a
	// *json.UnmarshalTypeError, as encoding/json returns it but without the value that it quotes.
	Err error
}

// Error returns a description of the error.
func (e *MalformedError) Error() string {
	if e.Offset == 0 {
		return fmt.Sprintf("decode: malformed %s event: %v", e.Event, e.Err)
	}
	return fmt.Sprintf("decode: malformed %s event: %v (at byte %d)", e.Event, e.Err, e.Offset)
}

// Unwrap returns Err.
func (e *MalformedError) Unwrap() error { return e.Err }

// malformed returns the error for an event, or for an entry of it.
func malformed(event string, cause error) *MalformedError {
	e := &MalformedError{Event: event, Err: cause}
	var syntax *json.SyntaxError
	var mistake *json.UnmarshalTypeError
	switch {
	case errors.As(cause, &syntax):
		e.Offset = syntax.Offset
	case errors.As(cause, &mistake):
		e.Offset = mistake.Offset
	}
	return e
}

// A syntaxError adds a text to a *json.SyntaxError, whose own text only encoding/json can set.
type syntaxError struct{ err *json.SyntaxError }

func (syntaxError) Error() string   { return "invalid JSON" }
func (e syntaxError) Unwrap() error { return e.err }

// An IgnoredError reports a message, or an entry of a put, that is ignored.
//
// For the put of path "/", it says that the present configuration as a whole can't be used. No event leads to that. A
// source of another kind yields it in an Ignored message where it waits for a better configuration, instead of
// failing; a client shows the error in its status, and is not Valid until the next Put or Complete.
type IgnoredError struct {
	// Event is the name of the event. It is empty if that does not look like a name, because a server that
	// forgets a line feed may send anything in its place.
	Event string
	// Path is the path of the message or, for an entry of a put, of the item. It is empty if there is none,
	// and cut off after 128 bytes.
	Path string
	// Err is ErrUnknownEvent, ErrPutPath, ErrUnknownPath or ErrWrongID, or a *MalformedError for a filter. Sources
	// of messages other than Messages have further reasons, such as package file.
	Err error
}

// Error returns a description of the error.
func (e *IgnoredError) Error() string {
	return fmt.Sprintf("decode: ignored %q event, path %q: %v", e.Event, e.Path, e.Err)
}

// Unwrap returns Err.
func (e *IgnoredError) Unwrap() error { return e.Err }

// ignored returns the error for an event or an entry of it.
func ignored(event, path string, reason error) *IgnoredError {
	const limit = 128
	if !quote.IsName(event) {
		event = ""
	}
	// Without Clone, a part of a string would keep all of it in memory.
	return &IgnoredError{Event: event, Path: strings.Clone(path[:min(len(path), limit)]), Err: reason}
}

// A RefusedError reports an environment whose keys contradict each other. It is refused: the environment that is
// held under the ID stays, and a corrected message with the same version is accepted.
type RefusedError struct {
	// ID is the ID of the environment.
	ID EnvironmentID
	// Err is ErrAnchor or ErrEmptyKey.
	Err error
}

// Error returns a description of the error, with at most 128 characters of the ID.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("decode: refused environment %.128q: %v", string(e.ID), e.Err)
}

// Unwrap returns Err.
func (e *RefusedError) Unwrap() error { return e.Err }
