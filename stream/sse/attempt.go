package sse

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/relaystream/autoconfig/internal/plainhttp"
)

// maxForeignRedials is how often a RoundTripper of the caller's may connect again for one request. It may have
// a reason, such as a response that asks for authentication.
const maxForeignRedials = 10

// An attempt is one try to connect, and the connection that it leads to.
type attempt struct {
	*ConnectOptions
	ctx    context.Context
	cancel context.CancelCauseFunc
	conns  connections
	client *http.Client
	phase  *phaseTimer
	owned  bool // the client's connections are those in conns
}

// errRedialed ends an attempt whose first connection was closed without an answer.
var errRedialed = &failure{doing: "request failed", cause: io.ErrUnexpectedEOF}

// newAttempt prepares an attempt that ends with ctx, or when cancel is called. It must be released.
func (o *ConnectOptions) newAttempt(ctx context.Context, cancel context.CancelCauseFunc, u *url.URL) *attempt {
	a := &attempt{ConnectOptions: o, ctx: ctx, cancel: cancel, client: new(http.Client)}
	if o.Client != nil {
		*a.client = *o.Client
		a.client.Timeout = 0
	} else {
		a.client.Transport = newTransport()
	}
	a.conns.limit = o.ConnectTimeout
	if own := ownTransport(a.client, &a.conns, u); own != nil {
		a.client.Transport, a.owned = own, true
	}
	a.phase = startPhaseTimer(o.ConnectTimeout, func() { cancel(ErrConnectTimeout) })
	a.client.CheckRedirect = o.checkRedirect(a.client.CheckRedirect, a.phase.hop)
	return a
}

// release ends what is left of the attempt. No connection of it can be used again.
func (a *attempt) release() {
	a.phase.stop()
	a.cancel(nil)
	if a.owned {
		a.client.CloseIdleConnections() // this also cancels a dial that nobody waits for any more
		a.conns.close()
	}
}

// open sends the request and returns a response that is an event stream, and its body without a content
// coding.
func (a *attempt) open(req *http.Request) (*http.Response, io.Reader, error) {
	defer a.phase.stop()
	req, err := a.prepare(a.phase.trace(a.ctx, a.dials, a.conns.hush), req)
	if err != nil {
		return nil, nil, err
	}
	if a.RefusePlainHTTP && plainhttp.Is(req.URL) {
		return nil, nil, ErrPlainHTTP
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, nil, a.requestError(err)
	}
	a.conns.describe(resp)
	defer context.AfterFunc(a.ctx, func() { _ = resp.Body.Close() })()
	body, err := a.check(resp, req)
	if err != nil {
		a.cancel(nil)
		_ = resp.Body.Close()
		return nil, nil, err
	}
	return resp, body, nil
}

// dials is called for each connection that a request asks for. again counts those after the first. Package
// net/http asks for ever while an HTTP/2 server answers with GOAWAY.
func (a *attempt) dials(again int) {
	if again > 0 && a.owned || again > maxForeignRedials {
		a.cancel(errRedialed)
	}
}

// requestError returns the reason why there is no response.
func (a *attempt) requestError(err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return cause
	}
	for _, own := range []error{ErrPlainHTTP, ErrConnectTimeout} {
		if errors.Is(err, own) {
			return own
		}
	}
	return &failure{doing: "request failed", cause: err}
}

// prepare returns a copy of req with the headers of an event source, and with a fresh body if req can make one.
func (a *attempt) prepare(ctx context.Context, req *http.Request) (*http.Request, error) {
	req = req.Clone(ctx)
	req.Close = true
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Cache-Control", "no-cache")
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	if sendable(a.Session.LastEventID) {
		req.Header.Set("Last-Event-ID", a.Session.LastEventID)
	}
	if req.GetBody == nil {
		return req, nil
	}
	var err error
	if req.Body, err = req.GetBody(); err != nil {
		return nil, &failure{doing: "making the request's body", cause: err}
	}
	return req, nil
}

// sendable reports whether a header can carry the ID. An ID that none can carry must not make every
// later connection fail.
func sendable(id string) bool {
	for i := range len(id) {
		if c := id[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return id != "" && len(id) <= maxSentID
}

// check returns the body of an event stream, or an error if the response to req is none.
func (a *attempt) check(resp *http.Response, req *http.Request) (io.Reader, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, a.refusal(resp)
	}
	// Parameters say nothing (the encoding is always UTF-8), so they may as well be malformed.
	got, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if got = strings.TrimSpace(got); !strings.EqualFold(got, mediaType) {
		return nil, &ContentTypeError{ContentType: shown(got, 2, req)}
	}
	return decoded(resp, req)
}

func (a *attempt) refusal(resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode, Header: resp.Header}
	// The body of 101 is a connection, and never ends.
	if resp.StatusCode >= http.StatusOK {
		a.phase.extend()
		// What arrived before an error or the timeout is better than nothing.
		e.Body, _ = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	}
	return e
}
