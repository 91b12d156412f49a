package sse

import (
	"net/http"
	"net/url"

	"github.com/relaystream/autoconfig/internal/plainhttp"
)

type redirectPolicy = func(req *http.Request, via []*http.Request) error

// checkRedirect adds the rules of Connect to the policy of the caller's client. They are applied last, so that
// the policy cannot undo them.
func (o *ConnectOptions) checkRedirect(callers redirectPolicy, hop func()) redirectPolicy {
	return func(req *http.Request, via []*http.Request) error {
		if callers != nil {
			if err := callers(req, via); err == http.ErrUseLastResponse {
				return err
			} else if err != nil {
				return &redirectError{cause: err}
			}
		}
		if len(via) > o.MaxRedirects {
			return http.ErrUseLastResponse
		}
		if o.RefusePlainHTTP && plainhttp.Is(req.URL) {
			return ErrPlainHTTP
		}
		if leftOrigin(req, via) {
			withholdSecrets(req.Header)
		}
		req.Close = true
		hop()
		return nil
	}
}

// withholdSecrets removes the headers that may hold a secret. Package net/http keeps credentials for subdomains,
// other ports, and from https to http, and knows only some of the headers that carry them. Its Referer is the
// URL of the request before, with the query.
func withholdSecrets(h http.Header) {
	for name := range h {
		switch name {
		case "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type", "Last-Event-Id", "User-Agent":
		default:
			delete(h, name)
		}
	}
}

// leftOrigin reports whether any request after the first was for another origin.
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
