package sse

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/relaystream/autoconfig/internal/quote"
)

var (
	// ErrEventTooLarge ends a stream one of whose events exceeds MaxEventSize.
	ErrEventTooLarge = errors.New("sse: event exceeds the size limit")
	// ErrLateType ends a connection if an event that is yielded in pieces gets another name after them.
	ErrLateType = errors.New("sse: event was named again after its data")
	// ErrEndOfStream ends a connection whose response the server ended in good order. An event
	// stream has no proper end, so this is an error too; usually one connects again.
	ErrEndOfStream = errors.New("sse: the server ended the stream")
	// ErrConnectTimeout ends a connection whose dial, TLS handshake or wait for the response took
	// longer than ConnectTimeout.
	ErrConnectTimeout = errors.New("sse: timed out while connecting")
	// ErrIdle ends a connection that delivered no byte for IdleTimeout.
	ErrIdle = errors.New("sse: the server fell silent")
	// ErrPlainHTTP ends a connection that would have used plain http to a host that is not
	// loopback, by the request or by a redirect, although RefusePlainHTTP is set. Nothing was sent to
	// that host.
	ErrPlainHTTP = errors.New("sse: plain http is refused except to loopback")
	// ErrUnauthorized matches a *StatusError of 401 or 403: the server did not accept the credential.
	ErrUnauthorized = errors.New("sse: the server did not accept the credential")
	// ErrInvalidOption reports an option whose value is outside its range. Nothing was done.
	ErrInvalidOption = errors.New("sse: invalid option")
)

// A StatusError is a response whose status is not 200: 204 (the server asks not to come back), a
// redirect that was not followed, or a refusal. Its text is the status alone; Body and Header may
// repeat secrets of the request and must not be logged unseen.
type StatusError struct {
	Code   int
	Header http.Header
	// Body is the first 4 KiB of the response body, or what of it arrived within ConnectTimeout. It is
	// empty for a status below 200.
	Body []byte
}

// Error returns the status code and its standard text.
func (e *StatusError) Error() string { return "sse: status " + statusText(e.Code) }

// Is reports whether target is ErrUnauthorized and the status 401 or 403.
func (e *StatusError) Is(target error) bool {
	return target == ErrUnauthorized && (e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden)
}

// Format implements fmt.Formatter with the text of Error, whatever the verb.
func (e *StatusError) Format(s fmt.State, verb rune) { formatText(s, verb, e.Error()) }

// MarshalText gives the text of Error to encoders of JSON.
func (e *StatusError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// statusText is a status code with its standard text, not with that of the server.
func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// A ContentTypeError is a response of status 200 that is not an event stream.
type ContentTypeError struct {
	// ContentType is the response's media type without parameters. It is empty if there was none, or
	// if it was malformed, too long to be a name, or contained the request's credential.
	ContentType string
}

// Error returns a text with the media type, if that is known.
func (e *ContentTypeError) Error() string {
	if e.ContentType == "" {
		return "sse: content type is not " + mediaType
	}
	return "sse: content type is " + e.ContentType + " instead of " + mediaType
}

// A ContentCodingError is a response whose Content-Encoding is neither gzip nor identity.
type ContentCodingError struct {
	// Coding is the content coding. It is empty if it was malformed, too long to be a name, or contained
	// the request's credential.
	Coding string
}

// Error returns a text with the coding, if that is known.
func (e *ContentCodingError) Error() string {
	return strings.TrimSuffix("sse: unsupported content coding "+e.Coding, " ")
}

// A proxyError is a proxy's refusal to connect to the server.
type proxyError struct{ code int }

func (e *proxyError) Error() string { return "the proxy answered with status " + statusText(e.code) }

// A redirectError is a refusal by the CheckRedirect of the caller's client.
type redirectError struct{ cause error }

func (e *redirectError) Error() string { return e.cause.Error() }
func (e *redirectError) Unwrap() error { return e.cause }

// shown returns a name that consists of so many parts, or nothing if it is not one that can be shown.
func shown(name string, parts int, req *http.Request) string {
	found := strings.Split(name, "/")
	if len(found) != parts {
		return ""
	}
	for _, part := range found {
		if !quote.IsName(part) {
			return ""
		}
	}
	if key := req.Header.Get("Authorization"); key != "" && strings.Contains(strings.ToLower(name), strings.ToLower(key)) {
		return ""
	}
	return name
}
