// Package disconnect tells why a connection, or an attempt to make one, has ended. The log, the statistics
// and the reconnection of a client all use this one classification.
package disconnect

import (
	"errors"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/enum"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A Reason is why a connection ended.
type Reason uint8

const (
	// Failed means that the network or the caller's key provider failed, and any other error.
	Failed Reason = iota
	// Requested means that the server asked for another connection.
	Requested
	// Malformed means that an event was malformed or too large.
	Malformed
	// Refused means that the keys of an environment contradict each other.
	Refused
	// Rejected means that the server did not accept the key: status 401 or 403.
	Rejected
	// BadResponse means that the response was not an event stream, or that following a redirect is not
	// allowed.
	BadResponse
	// TimedOut means that the server did not answer, or fell silent.
	TimedOut
	// Ended means that the server ended the stream in good order.
	Ended
)

// String returns the reason in words, such as "key rejected".
func (r Reason) String() string {
	return enum.Name("Reason", r, []string{
		Failed: "failed", Requested: "requested by the server", Malformed: "malformed event", Refused: "environment refused",
		Rejected: "key rejected", BadResponse: "bad response", TimedOut: "timed out", Ended: "ended by the server",
	})
}

// ReasonOf returns the reason why a connection ended with err, which is the error of a subscription to
// sse.Connect or decode.Messages, perhaps wrapped.
func ReasonOf(err error) Reason {
	var malformed *decode.MalformedError
	var refused *decode.RefusedError
	switch {
	case errors.Is(err, decode.ErrReconnect):
		return Requested
	case errors.As(err, &malformed), errors.Is(err, sse.ErrEventTooLarge), errors.Is(err, sse.ErrLateType):
		return Malformed
	case errors.As(err, &refused):
		return Refused
	default:
		return reasonOfConnection(err)
	}
}

// reasonOfConnection is ReasonOf for the errors of package sse that are not about an event.
func reasonOfConnection(err error) Reason {
	var contentType *sse.ContentTypeError
	var coding *sse.ContentCodingError
	code := StatusCode(err)
	switch {
	case errors.Is(err, sse.ErrUnauthorized):
		return Rejected
	case code != 0, errors.As(err, &contentType), errors.As(err, &coding), errors.Is(err, sse.ErrPlainHTTP):
		return BadResponse
	case errors.Is(err, sse.ErrIdle), errors.Is(err, sse.ErrConnectTimeout):
		return TimedOut
	case errors.Is(err, sse.ErrEndOfStream):
		return Ended
	default:
		return Failed
	}
}

// Unusable reports whether err is that of a message that says that the present configuration of a source, as a whole,
// can't be used: an *decode.IgnoredError for the put of path "/". The put of an event with that path is never ignored.
func Unusable(err error) bool {
	if err == nil {
		return false // before the variable below, which is on the heap
	}
	var ignored *decode.IgnoredError
	return errors.As(err, &ignored) && ignored.Event == decode.PutEvent && ignored.Path == "/"
}

// StatusCode returns the HTTP status of the response that err reports, or 0 if err is not about a status.
func StatusCode(err error) int {
	var status *sse.StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}
