package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/stream/sse"
)

// A Finding is what a check has found.
type Finding uint8

// Findings, in the order in which a connection meets them.
const (
	Healthy          Finding = iota // the service has sent a complete configuration
	NoKey                           // there is no key
	UnusableKey                     // the key, or its file, cannot be used
	WrongURI                        // the stream URI cannot be used
	PlainHTTP                       // the stream URI, or a redirect, would send the key in the clear
	UnknownName                     // the host name does not exist
	LookupFailed                    // the name service does not answer
	ConnectionFailed                // the host does not take the connection
	ProxyFailed                     // the proxy cannot be reached, or refuses
	UntrustedTLS                    // the certificate is of an unknown authority
	WrongNameTLS                    // the certificate is for another host
	InvalidTLS                      // the certificate is expired, or invalid otherwise
	NoTLS                           // the server does not speak TLS
	RejectedKey                     // 401, 403
	NotFound                        // 404
	SentAway                        // 204
	Overloaded                      // 429, 503
	OtherStatus                     // another status than 200
	NotAStream                      // the content is not an event stream, or in an unknown coding
	Silent                          // there was no response in time
	NoPut                           // there was a response, and no configuration in time
	Malformed                       // an event is malformed or too large
	Refused                         // some items cannot be used
	Lost                            // the connection ended before the configuration was complete
	Interrupted                     // the check itself was ended
	OtherFailure                    // anything else
)

// A proxyError is the refusal of a proxy to connect to the service.
type proxyError struct{ code int }

func (e *proxyError) Error() string {
	return strings.TrimSpace("the proxy answered with status " + strconv.Itoa(e.code) + " " + http.StatusText(e.code))
}

// Diagnose returns what err means, with which an attempt to connect, or to get a key, has ended.
func Diagnose(err error) Finding {
	for _, diagnose := range []func(error) Finding{diagnoseOptions, diagnoseResponse, diagnoseTLS, diagnoseNetwork} {
		if finding := diagnose(err); finding != OtherFailure {
			return finding
		}
	}
	return OtherFailure
}

func diagnoseOptions(err error) Finding {
	var option *autoconfig.OptionError
	switch {
	case errors.Is(err, cli.ErrNoKey):
		return NoKey
	case errors.Is(err, autoconfig.ErrInvalidKey), is[*os.PathError](err):
		return UnusableKey
	case errors.Is(err, sse.ErrPlainHTTP):
		return PlainHTTP
	case errors.As(err, &option):
		return WrongURI
	default:
		return OtherFailure
	}
}

func diagnoseResponse(err error) Finding {
	var status *sse.StatusError
	switch {
	case errors.As(err, &status):
		return diagnoseStatus(status.Code)
	case is[*sse.ContentTypeError](err), is[*sse.ContentCodingError](err):
		return NotAStream
	case is[*decode.MalformedError](err), errors.Is(err, sse.ErrEventTooLarge):
		return Malformed
	case is[*decode.RefusedError](err):
		return Refused
	case errors.Is(err, sse.ErrEndOfStream), errors.Is(err, decode.ErrReconnect):
		return Lost
	case errors.Is(err, sse.ErrConnectTimeout):
		return Silent
	case errors.Is(err, sse.ErrIdle):
		return NoPut
	default:
		return OtherFailure
	}
}

func diagnoseStatus(code int) Finding {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return RejectedKey
	case http.StatusNotFound:
		return NotFound
	case http.StatusNoContent:
		return SentAway
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return Overloaded
	default:
		return OtherStatus
	}
}

func diagnoseTLS(err error) Finding {
	switch {
	case is[x509.UnknownAuthorityError](err):
		return UntrustedTLS
	case is[x509.HostnameError](err):
		return WrongNameTLS
	case is[*tls.CertificateVerificationError](err), is[x509.CertificateInvalidError](err):
		return InvalidTLS
	case is[tls.RecordHeaderError](err), errors.Is(err, http.ErrSchemeMismatch):
		return NoTLS
	default:
		return OtherFailure
	}
}

func diagnoseNetwork(err error) Finding {
	var op *net.OpError
	var lookup *net.DNSError
	atNetwork := errors.As(err, &op)
	switch {
	case is[*proxyError](err), atNetwork && (op.Op == "proxyconnect" || op.Op == "socks connect"):
		return ProxyFailed
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return UnknownName
	case lookup != nil:
		return LookupFailed
	case atNetwork && op.Op == "dial":
		return ConnectionFailed
	case errors.Is(err, context.DeadlineExceeded):
		return Silent
	case atNetwork, is[syscall.Errno](err), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return Lost
	default:
		return OtherFailure
	}
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
