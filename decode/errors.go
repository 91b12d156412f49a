package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrReconnect ends the messages of a connection on which the server asked for another one.
var ErrReconnect = errors.New("decode: the server asked to reconnect")

// Reasons for which a message, or an entry of one, is ignored: the Err of an *IgnoredError.
var (
	// ErrUnknownEvent is the reason for an event that is not part of the protocol.
	ErrUnknownEvent = errors.New("unknown event name")
	// ErrPutPath is the reason for a put whose path is not "/".
	ErrPutPath = errors.New("path of a put is not \"/\"")
	// ErrUnknownPath is the reason for a patch or delete of something that is neither an
	// environment nor a filter.
	ErrUnknownPath = errors.New("path names neither an environment nor a filter")
	// ErrWrongID is the reason for an environment whose envID is empty or differs from its path or
	// map key.
	ErrWrongID = errors.New("envID differs from the ID in the path or map key")
)

// Reasons for which an environment is refused: the Err of a *RefusedError.
var (
	// ErrAnchor is the reason for a set of accepted keys without the current key.
	ErrAnchor = errors.New("current key is missing from the set of accepted keys")
	// ErrEmptyKey is the reason for a set of accepted keys with an empty key in it.
	ErrEmptyKey = errors.New("set of accepted keys contains an empty key")
)

// ErrTooMany is the reason for which a put is malformed, or its filters are ignored, that lists more of
// them than Options.MaxListed.
var ErrTooMany = errors.New("more items than allowed")

var (
	errNoContent       = errors.New("data or data.environments is missing")
	errNoFilter        = errors.New("filter or its ID is missing")
	errNegativeVersion = errors.New("version is negative")
)

// A MalformedError reports an event that is not what the protocol allows. Its text never shows
// payload.
type MalformedError struct {
	// Event is the event's name.
	Event string
	// Offset is the number of bytes of data read before the error was noticed. It is 0 if that is unknown,
	// which it is of wrong types inside of the data of a put.
	Offset int64
	// Err is the cause. If it lies in the JSON, errors.As finds a *json.SyntaxError or a
	// *json.UnmarshalTypeError, without what they would quote.
	Err error
}

func (e *MalformedError) Error() string {
	if e.Offset == 0 {
		return fmt.Sprintf("decode: malformed %s event: %v", e.Event, e.Err)
	}
	return fmt.Sprintf("decode: malformed %s event: %v (at byte %d)", e.Event, e.Err, e.Offset)
}

// Unwrap returns the cause.
func (e *MalformedError) Unwrap() error { return e.Err }

// malformed returns the error for an event, or an entry of it, with the given cause.
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

// A syntaxError is a *json.SyntaxError, which has no text unless encoding/json made it.
type syntaxError struct{ err *json.SyntaxError }

func (syntaxError) Error() string   { return "invalid JSON" }
func (e syntaxError) Unwrap() error { return e.err }

// An IgnoredError tells why a message or an entry was passed over.
type IgnoredError struct {
	// Event is the event's name.
	Event string
	// Path is the message's path, or that of the entry within a put; empty if there is none. At
	// most 128 bytes of it are kept.
	Path string
	// Err is the reason: ErrUnknownEvent, ErrPutPath, ErrUnknownPath, ErrWrongID, or for a filter
	// that can't be read a *MalformedError.
	Err error
}

func (e *IgnoredError) Error() string {
	return fmt.Sprintf("decode: ignored %q event, path %q: %v", e.Event, e.Path, e.Err)
}

// Unwrap returns the reason.
func (e *IgnoredError) Unwrap() error { return e.Err }

func ignored(event, path string, reason error) *IgnoredError {
	const limit = 128
	// Clones, because a part of a string keeps all of it in memory.
	return &IgnoredError{
		Event: strings.Clone(event[:min(len(event), limit)]),
		Path:  strings.Clone(path[:min(len(path), limit)]),
		Err:   reason,
	}
}

// A RefusedError tells why an environment was refused. The last good item stays in force, and a
// corrected message of the same version still counts.
type RefusedError struct {
	// ID is the environment.
	ID EnvironmentID
	// Err is the reason: ErrAnchor or ErrEmptyKey.
	Err error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("decode: refused environment %q: %v", string(e.ID), e.Err)
}

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }
