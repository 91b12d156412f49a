package sse

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

var (
	// ErrEventTooLarge ends a stream one of whose events exceeds MaxEventSize.
	ErrEventTooLarge = errors.New("sse: event exceeds the size limit")
	// ErrEndOfStream ends a connection whose response the server ended in good order. An event
	// stream has no proper end, so this is an error too; usually one connects again.
	ErrEndOfStream = errors.New("sse: the server ended the stream")
	// ErrConnectTimeout ends a connection whose dial, TLS handshake or wait for the response took
	// longer than ConnectTimeout.
	ErrConnectTimeout = errors.New("sse: timed out while connecting")
	// ErrIdle ends a connection that delivered no byte for IdleTimeout.
	ErrIdle = errors.New("sse: the server fell silent")
	// ErrPlainHTTP ends a connection that would have used plain http to a host that is not
	// loopback, be it by the request or by a redirect. Nothing was sent to that host.
	ErrPlainHTTP = errors.New("sse: plain http is refused except to loopback")
	// ErrInvalidOption tells that an option has a value outside its range, and that nothing was done.
	ErrInvalidOption = errors.New("sse: invalid option")
)

// A StatusError is a response whose status is not 200: 204 (the server asks not to come back), a
// redirect that was not followed, or a refusal. Its text is the status alone; Body and Header may
// repeat secrets of the request and must not be logged unseen.
type StatusError struct {
	Code   int
	Header http.Header
	// Body is the first 4 KiB of the response body, or what of it arrived within ConnectTimeout.
	Body []byte
}

// Error returns the status code and its standard text.
func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("sse: status %d %s", e.Code, http.StatusText(e.Code)))
}

// Format implements fmt.Formatter with the text of Error, whatever the verb.
func (e *StatusError) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), e.Error())
}

// MarshalText makes the text of Error of it in JSON, too, where a status that holds the error is logged.
func (e *StatusError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// A ContentTypeError is a response of status 200 that is no event stream.
type ContentTypeError struct {
	// ContentType is the response's header as received, empty if there was none. The credential of the
	// request, should the server repeat it there, is replaced.
	ContentType string
}

func (e *ContentTypeError) Error() string {
	return fmt.Sprintf("sse: content type is %q instead of %s", e.ContentType, mediaType)
}

// A requestError is a request that no response came for. It unwraps to the cause. The text of an
// error of net/http may contain the request's URL, with what its query and user name reveal, or
// repeat what the server sent, which may be the credential that it was sent.
type requestError struct {
	cause error
	text  string
}

func newRequestError(err error, req *http.Request) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &requestError{cause: err, text: "sse: request failed: " + withoutCredential(err.Error(), req)}
}

// withoutCredential returns what a server may have said without the credential that it was sent, be that
// as it is or in a form in which an error quotes or a location escapes it.
func withoutCredential(text string, req *http.Request) string {
	credential := req.Header.Get("Authorization")
	if credential == "" {
		return text
	}
	quoted := strconv.Quote(credential)
	for _, form := range []string{credential, quoted[1 : len(quoted)-1], url.PathEscape(credential), url.QueryEscape(credential)} {
		text = strings.ReplaceAll(text, form, "***")
	}
	return text
}

func (e *requestError) Error() string { return e.text }
func (e *requestError) Unwrap() error { return e.cause }
