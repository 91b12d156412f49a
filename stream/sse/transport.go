package sse

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
)

// readBufferSize is the ReadBufferSize of a transport that sets none, in bytes. With the 4 KiB of net/http a busy stream
// of small chunks takes several times as many system calls.
const readBufferSize = 16 << 10

// newTransport speaks HTTP/1.1 alone: an event stream has its connection to itself, and HTTP/2
// would add flow control and frames to no end.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{Proxy: http.ProxyFromEnvironment, Protocols: protocols}
}

// ownTransport returns a transport for one attempt, like the one of the caller's client, whose connections
// belong to the attempt. It returns nil if the client has a RoundTripper of another type, or one for the
// scheme, which a clone of its transport would not have.
func ownTransport(client *http.Client, conns *connections, u *url.URL) *http.Transport {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	var own *http.Transport
	switch t := client.Transport.(type) {
	case nil:
		shared, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			return nil
		}
		own = shared.Clone()
	case *http.Transport:
		own = t.Clone()
	default:
		return nil
	}
	own.ReadBufferSize = cmp.Or(own.ReadBufferSize, readBufferSize)
	own.DialContext = conns.of(dialer(own))
	if dial := tlsDialer(own); dial != nil {
		own.DialTLSContext = conns.ofTLS(dial)
	}
	own.OnProxyConnectResponse = checkProxy(own.OnProxyConnectResponse)
	return own
}

// dialer returns how t dials.
func dialer(t *http.Transport) dialFunc {
	switch {
	case t.DialContext != nil:
		return t.DialContext
	//lint:ignore SA1019 the caller may still use it
	case t.Dial != nil:
		//lint:ignore SA1019 as above
		return withoutContext(t.Dial)
	default:
		return new(net.Dialer).DialContext
	}
}

// tlsDialer returns how t dials with TLS, nil if it leaves that to package net/http.
func tlsDialer(t *http.Transport) dialFunc {
	switch {
	case t.DialTLSContext != nil:
		return t.DialTLSContext
	//lint:ignore SA1019 the caller may still use it
	case t.DialTLS != nil:
		//lint:ignore SA1019 as above
		return withoutContext(t.DialTLS)
	default:
		return nil
	}
}

func withoutContext(dial func(network, address string) (net.Conn, error)) dialFunc {
	return func(_ context.Context, network, address string) (net.Conn, error) { return dial(network, address) }
}

type proxyCheck = func(ctx context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error

// checkProxy adds an error that keeps the status to the caller's check. That of net/http is made of what the
// proxy said.
func checkProxy(callers proxyCheck) proxyCheck {
	return func(ctx context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
		if callers != nil {
			if err := callers(ctx, proxy, connect, resp); err != nil {
				return err
			}
		}
		if resp.StatusCode != http.StatusOK {
			return &proxyError{code: resp.StatusCode}
		}
		return nil
	}
}
