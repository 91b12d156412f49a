package sse

import (
	"net/http"
	"net/url"

	"github.com/relaystream/autoconfig/internal/plainhttp"
)

type redirectPolicy = func(req *http.Request, via []*http.Request) error

// checkRedirect adds the rules of Connect to the policy of the caller's client. They come last, so
// that they have the last word on the headers.
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

// harmless are the headers that any origin may see.
var harmless = map[string]bool{
	"Accept": true, "Accept-Encoding": true, "Accept-Language": true, "Cache-Control": true,
	"Content-Type": true, "Last-Event-Id": true, "User-Agent": true,
}

// withholdSecrets removes what may be a secret. Package net/http keeps credentials for subdomains, other ports,
// and from https to http, and knows only some of the headers that carry them. Its Referer is the URL of the
// request before, with its query.
func withholdSecrets(h http.Header) {
	for name := range h {
		if !harmless[name] {
			delete(h, name)
		}
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
