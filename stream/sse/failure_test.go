package sse

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
)

// An error tells what kind of fault it is about, though it repeats nothing of its cause.
func TestKinds(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, test := range []struct {
		cause error
		want  string
	}{
		{refused, "dial: " + syscall.ECONNREFUSED.Error()},
		{&net.OpError{Op: secret, Err: syscall.ECONNRESET}, syscall.ECONNRESET.Error()},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Name: secret, IsNotFound: true}}, "dial: no such host"},
		{&net.DNSError{Name: secret, Server: secret, Err: secret}, "the name lookup failed"},
		{&net.OpError{Op: "proxyconnect", Err: &proxyError{code: 407}}, "proxyconnect: the proxy answered with status 407 Proxy Authentication Required"},
		{&tls.CertificateVerificationError{Err: x509.HostnameError{Host: secret, Certificate: &x509.Certificate{}}}, "the server's certificate is for another host"},
		{x509.UnknownAuthorityError{}, "the server's certificate is signed by an unknown authority"},
		{x509.CertificateInvalidError{Detail: secret}, "the server's certificate is not valid"},
		{tls.AlertError(40), "tls: handshake failure"},
		{os.ErrDeadlineExceeded, "timed out"},
		{http.ErrSchemeMismatch, "server gave HTTP response to HTTPS client"},
		{errors.New(secret), "an error of type *errors.errorString"},
	} {
		err := &failure{doing: "request failed", cause: &url.Error{Op: "Get", URL: secret, Err: test.cause}}
		if want := "sse: request failed: " + test.want; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		if !errors.Is(fmt.Errorf("wrapped: %w", err), test.cause) {
			t.Errorf("%v is not its cause", err)
		}
		hides(t, err)
	}
	var network *net.OpError
	if err := error(&failure{cause: refused}); !errors.As(err, &network) || network != refused {
		t.Errorf("it became %v", network)
	}
}
