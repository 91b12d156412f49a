package sse

import (
	"bytes"
	"context"
	"net/http"
)

// A RequestFunc makes the request of one connection. It is called for each, so that it can read a
// credential again that may have changed. It may block until ctx ends.
type RequestFunc func(ctx context.Context) (*http.Request, error)

// Get makes GET requests.
func Get(url string) RequestFunc { return Send(http.MethodGet, url, nil) }

// Send makes requests of any method. Each gets the whole body, which must not be modified.
func Send(method, url string, body []byte) RequestFunc {
	return func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	}
}

// With makes the same requests with one header more, or another value for it.
func (f RequestFunc) With(name, value string) RequestFunc {
	return func(ctx context.Context) (*http.Request, error) {
		req, err := f(ctx)
		if err == nil && req != nil {
			req.Header.Set(name, value)
		}
		return req, err
	}
}
