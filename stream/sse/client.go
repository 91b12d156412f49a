package sse

import (
	"net/http"
	"net/url"

	"github.com/relaystream/autoconfig/internal/plainhttp"
)

// readBufferSize is the transport's, in bytes. With the usual 4 KiB a busy stream of small chunks
// takes many more system calls.
const readBufferSize = 64 << 10

// newClient returns the client of one subscription, and what is to be called at its end.
func (o *ConnectOptions) newClient() (client *http.Client, release func()) {
	client, release = new(http.Client), func() {}
	if o.Client != nil {
		*client = *o.Client
		client.Timeout = 0
	} else {
		transport := newTransport()
		client.Transport = transport
		// This also cancels a dial that nobody waits for any more.
		release = transport.CloseIdleConnections
	}
	client.CheckRedirect = o.checkRedirect(client.CheckRedirect)
	return client, release
}

// newTransport speaks HTTP/1.1 alone: an event stream has its connection to itself, and HTTP/2
// would add flow control and frames to no end.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:          http.ProxyFromEnvironment,
		Protocols:      protocols,
		ReadBufferSize: readBufferSize,
	}
}

type redirectPolicy = func(req *http.Request, via []*http.Request) error

// checkRedirect adds the rules of Connect to the policy of the caller's client. They come last, so
// that they have the last word on the headers.
func (o *ConnectOptions) checkRedirect(callers redirectPolicy) redirectPolicy {
	return func(req *http.Request, via []*http.Request) error {
		if callers != nil {
			if err := callers(req, via); err != nil {
				return err
			}
		}
		if len(via) > o.MaxRedirects {
			return http.ErrUseLastResponse
		}
		if !o.AllowPlainHTTP && plainhttp.Is(req.URL) {
			return ErrPlainHTTP
		}
		if leftOrigin(req, via) {
			// net/http keeps credentials for subdomains, other ports, and from https to http. Its
			// Referer is the URL of the request before, with its query.
			for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization", "Referer"} {
				req.Header.Del(name)
			}
		}
		return nil
	}
}

// leftOrigin tells whether any request after the first was for another origin.
func leftOrigin(req *http.Request, via []*http.Request) bool {
	first := via[0].URL
	for _, earlier := range via[1:] {
		if !sameOrigin(first, earlier.URL) {
			return true
		}
	}
	return !sameOrigin(first, req.URL)
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
