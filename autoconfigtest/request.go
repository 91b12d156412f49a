package autoconfigtest

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/relaystream/autoconfig/internal/mask"
)

// A Request is an HTTP request that a Server has received. Nothing in it depends on the time or the
// port, so tests can compare it. Every fmt verb prints it with the Authorization header masked.
type Request struct {
	// Method is the HTTP method.
	Method string
	// Path is the path of the URL.
	Path string
	// Query is the decoded query of the URL.
	Query url.Values
	// Header has all headers, Authorization with its real value.
	Header http.Header
	// Status is the status code of the answer, 0 while there is none. It is set before the client
	// can see the answer.
	Status int
}

func newRequest(r *http.Request) *Request {
	return &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone()}
}

func (r Request) clone() Request {
	r.Query = url.Values(http.Header(r.Query).Clone())
	r.Header = r.Header.Clone()
	return r
}

// Format implements fmt.Formatter: method, URL, status and headers on one line.
func (r Request) Format(f fmt.State, _ rune) {
	target := url.URL{Path: r.Path, RawQuery: r.Query.Encode()}
	fmt.Fprintf(f, "%s %s %d", r.Method, &target, r.Status)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		value := strings.Join(r.Header[name], ", ")
		if name == "Authorization" {
			value = mask.String(value)
		}
		fmt.Fprintf(f, " %s: %q", name, value)
	}
}

// LogValue implements slog.LogValuer with the line that Format prints.
func (r Request) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }
