package sse

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// A failure is an error of the HTTP stack or of the network. Its text says what kind of fault it is.
// It does not repeat the text of its cause, which may quote what the server sent, or the request's
// URL. The cause is there for errors.Is and errors.As, but it can't be unwrapped and so not be printed
// by accident.
type failure struct {
	doing string
	cause error
}

func (f *failure) Error() string        { return "sse: " + f.doing + ": " + kindOf(f.cause) }
func (f *failure) Is(target error) bool { return errors.Is(f.cause, target) }
func (f *failure) As(target any) bool   { return errors.As(f.cause, target) }

// Format implements fmt.Formatter with the text of Error, whatever the verb.
func (f *failure) Format(s fmt.State, verb rune) { formatText(s, verb, f.Error()) }

// MarshalText gives the text of Error to encoders of JSON.
func (f *failure) MarshalText() ([]byte, error) { return []byte(f.Error()), nil }

// formatText formats the text of an error in the place of the error itself.
func formatText(s fmt.State, verb rune, text string) {
	if verb == 'v' { // %#v would quote the text
		verb = 's'
	}
	_, _ = fmt.Fprintf(s, fmt.FormatString(plainState{s}, verb), text)
}

// plainState is a fmt.State without the flags + and #.
type plainState struct{ fmt.State }

func (s plainState) Flag(c int) bool { return c != '+' && c != '#' && s.State.Flag(c) }

// kindOf describes err without words of the server's.
func kindOf(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) {
		return faultOf(err)
	}
	switch op.Op {
	case "dial", "read", "write", "proxyconnect", "socks connect":
		return op.Op + ": " + faultOf(op.Err)
	default:
		return faultOf(err)
	}
}

func faultOf(err error) string {
	var (
		errno syscall.Errno
		proxy *proxyError
		alert tls.AlertError
	)
	switch {
	case errors.As(err, &proxy):
		return proxy.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &alert):
		return alert.Error()
	}
	for _, fault := range []func(error) string{faultOfLookup, faultOfCertificate, faultOfKnown} {
		if text := fault(err); text != "" {
			return text
		}
	}
	return faultOfText(err)
}

func faultOfLookup(err error) string {
	var lookup *net.DNSError
	switch {
	case !errors.As(err, &lookup):
		return ""
	case lookup.IsNotFound:
		return "no such host"
	default:
		return "the name lookup failed"
	}
}

func faultOfCertificate(err error) string {
	switch {
	case as[x509.HostnameError](err):
		return "the server's certificate is for another host"
	case as[x509.UnknownAuthorityError](err):
		return "the server's certificate is signed by an unknown authority"
	case as[*tls.CertificateVerificationError](err), as[x509.CertificateInvalidError](err):
		return "the server's certificate is not valid"
	case as[tls.RecordHeaderError](err):
		return "the server does not speak TLS"
	default:
		return ""
	}
}

func faultOfKnown(err error) string {
	switch {
	case as[*redirectError](err):
		return "the client's CheckRedirect refused"
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case as[flate.CorruptInputError](err), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return "malformed gzip data"
	default:
		return ""
	}
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// faultOfText finds phrases in the texts of errors that have no type, most of them of package net/http.
func faultOfText(err error) string {
	text := err.Error()
	for _, phrase := range [...]string{
		"malformed HTTP response", "malformed HTTP status code", "malformed HTTP version", "malformed MIME header",
		"malformed chunked encoding", "invalid byte in chunk length", "chunk length too large",
		"chunked encoding contains too much non-data", "bare LF", "unsupported transfer encoding", "too many transfer encodings",
		"Content-Length", "response headers exceeded", "too many 1xx informational responses", "line too long",
		"failed to parse Location header", "unsupported protocol scheme", "server gave HTTP response to HTTPS client",
		"server sent GOAWAY", "frame too large", "stream error", "connection error", "header list", "invalid header", "no Host in request URL",
	} {
		if strings.Contains(text, phrase) {
			return phrase
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return "the connection was closed"
	}
	if wrapper := (*url.Error)(nil); errors.As(err, &wrapper) {
		err = wrapper.Err
	}
	return fmt.Sprintf("an error of type %T", err)
}
