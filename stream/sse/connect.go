package sse

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/internal/plainhttp"
	"github.com/relaystream/autoconfig/stream"
)

// DefaultIdleTimeout is the default of ConnectOptions.IdleTimeout.
const DefaultIdleTimeout = 5 * time.Minute

const (
	mediaType = "text/event-stream"

	defaultConnectTimeout = 10 * time.Second
	defaultMaxRedirects   = 10
	// maxErrorBody is how much of a refusal's body is read, in bytes.
	maxErrorBody = 4 << 10
	// maxSentID is the longest last event ID that is sent, in bytes. Servers refuse longer headers,
	// and would refuse them for ever.
	maxSentID = 4 << 10
)

// ConnectOptions are the options of Connect. The zero value is the defaults.
type ConnectOptions struct {
	// Client sends the request. It is copied without its Timeout, which would bound the whole
	// stream, and never modified; its CheckRedirect is asked first, then the rules of Connect hold
	// too. Its Transport must heed the request's context. A dial that an http.Transport began may
	// outlive the subscription, because it is kept for the next user of that transport.
	//
	// Nil means a client and a transport for each subscription: HTTP/1.1, proxies from the
	// environment, nothing shared and nothing left behind.
	Client *http.Client
	// ConnectTimeout bounds each of the dial, the TLS handshake, the wait for the response's
	// header, and the reading of an error's body. A redirect begins again. 0 means 10 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long the server may send nothing, not even a comment; the time that yield
	// takes does not count. 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration
	// MaxEventSize is as in ScanOptions, but for the memory: Connect reads ahead, so that there can be
	// two buffers, one with what yield is not done with, and one being filled, each within the limit and
	// 512 KiB; and less than 100 bytes for each event in them. 0 means 64 MiB.
	MaxEventSize int
	// MaxRedirects is how many redirects are followed; one more is a *StatusError. 0 means 10, and a
	// negative number none.
	MaxRedirects int
	// AllowPlainHTTP permits plain http to hosts other than loopback.
	AllowPlainHTTP bool
	// Session is continued and updated. Its last event ID is sent, unless a header cannot carry it
	// for its control characters or its length of more than 4 KiB. Nil means a fresh one for each
	// subscription.
	Session *Session
	// OnOpen, if not nil, is called on the subscribing goroutine with a valid response before its
	// body is read. It must leave the body alone. The request in it holds the credential.
	OnOpen func(*http.Response)
	// OnRead, if not nil, is called on the subscribing goroutine with the number of bytes that were
	// read since the last call, before their events are yielded.
	OnRead func(n int)
	// OnWait, if not nil, is called on the subscribing goroutine when all events that it has had are
	// yielded: the next ones may be long in coming.
	OnWait func()
}

func (o *ConnectOptions) resolve() (ConnectOptions, error) {
	var opts ConnectOptions
	if o != nil {
		opts = *o
	}
	if err := checkMaxEventSize(opts.MaxEventSize); err != nil {
		return opts, err
	}
	if opts.ConnectTimeout < 0 || opts.IdleTimeout < 0 {
		return opts, fmt.Errorf("%w: ConnectTimeout is %v and IdleTimeout %v, must be 0 (default) or positive",
			ErrInvalidOption, opts.ConnectTimeout, opts.IdleTimeout)
	}
	opts.ConnectTimeout = cmp.Or(opts.ConnectTimeout, defaultConnectTimeout)
	opts.IdleTimeout = cmp.Or(opts.IdleTimeout, DefaultIdleTimeout)
	opts.MaxRedirects = cmp.Or(opts.MaxRedirects, defaultMaxRedirects)
	return opts, nil
}

// Connect is one connection to a server of events. Each subscription calls newRequest for a request
// of its own, so that a credential that has changed is read again, and adds the headers Accept,
// Accept-Encoding (a compressed stream would arrive late), Cache-Control and Last-Event-ID to a copy.
//
// It always ends with an error, unless yield stops it: the context's cause; ErrPlainHTTP;
// ErrConnectTimeout; a *StatusError for a status other than 200; a *ContentTypeError; ErrIdle;
// ErrEventTooLarge; ErrEndOfStream; ErrInvalidOption for a negative duration or size; the error of
// newRequest or of the network, wrapped. Cancelling the context ends it at once in every phase.
//
// Up to MaxRedirects redirects are followed. The headers Authorization and Cookie are sent to the origin
// (scheme, host and port) of the request alone: from the first redirect away from it they are
// dropped, even if a later one leads back.
//
// The options are copied at the call. A nil newRequest panics, as does one that returns neither a
// request nor an error.
func Connect(newRequest func(ctx context.Context) (*http.Request, error), o *ConnectOptions) stream.Observable[Event] {
	if newRequest == nil {
		panic("sse: Connect with a nil newRequest")
	}
	opts, invalid := o.resolve()
	return func(ctx context.Context, yield func(Event) bool) error {
		if invalid != nil {
			return invalid
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		o := opts
		if o.Session == nil {
			o.Session = new(Session)
		}
		err := o.connect(ctx, newRequest, yield)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
}

func (o *ConnectOptions) connect(
	ctx context.Context, newRequest func(context.Context) (*http.Request, error), yield func(Event) bool,
) error {
	req, err := newRequest(ctx)
	if err != nil {
		return fmt.Errorf("sse: making the request: %w", err)
	}
	// The request may have been made with a context of its own: both can end the connection.
	reqCtx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()

	client, release := o.newClient()
	defer release()
	resp, err := o.open(reqCtx, cancel, client, req)
	if err != nil {
		return err
	}
	if o.OnOpen != nil {
		o.OnOpen(resp)
	}
	ahead := newReadAhead(resp.Body, o.MaxEventSize, o.Session)
	defer func() {
		cancel(nil)
		_ = resp.Body.Close() // nothing is left to lose
		ahead.close()
		o.Session.huge = ahead.session.huge
	}()
	idle := time.AfterFunc(o.IdleTimeout, func() { cancel(ErrIdle) })
	defer idle.Stop()
	err = o.read(ctx, ahead, idle, yield)
	if cause := context.Cause(reqCtx); err != nil && cause != nil {
		return cause // why the connection was ended, if that was here
	}
	return err
}

// open sends the request and returns a response that is an event stream.
func (o *ConnectOptions) open(
	ctx context.Context, cancel context.CancelCauseFunc, client *http.Client, req *http.Request,
) (*http.Response, error) {
	phase := startPhaseTimer(o.ConnectTimeout, func() { cancel(ErrConnectTimeout) })
	defer phase.stop()
	req = o.prepare(phase.trace(ctx), req)
	if !o.AllowPlainHTTP && plainhttp.Is(req.URL) {
		return nil, ErrPlainHTTP
	}
	resp, err := client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, newRequestError(err, req)
	}
	if err := checkResponse(resp, req, phase); err != nil {
		cancel(nil)
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// prepare returns a copy of req with the headers of an event source.
func (o *ConnectOptions) prepare(ctx context.Context, req *http.Request) *http.Request {
	req = req.Clone(ctx)
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Cache-Control", "no-cache")
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "identity")
	}
	if sendable(o.Session.LastEventID) {
		req.Header.Set("Last-Event-ID", o.Session.LastEventID)
	}
	return req
}

// sendable tells whether a header can carry the ID. One that cannot must not make every further
// connection fail.
func sendable(id string) bool {
	for i := range len(id) {
		if c := id[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return id != "" && len(id) <= maxSentID
}

// checkResponse tells what is wrong with the response that req came to, by way of redirects perhaps.
func checkResponse(resp *http.Response, req *http.Request, phase *phaseTimer) error {
	if resp.StatusCode != http.StatusOK {
		phase.restart()
		// What arrived before an error or the timeout is better than nothing.
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		return &StatusError{Code: resp.StatusCode, Header: resp.Header, Body: text}
	}
	contentType := resp.Header.Get("Content-Type")
	// Parameters say nothing (the encoding is always UTF-8), so they may as well be malformed.
	if got, _, _ := strings.Cut(contentType, ";"); !strings.EqualFold(strings.TrimSpace(got), mediaType) {
		return &ContentTypeError{ContentType: withoutCredential(contentType, req)}
	}
	return nil
}

// read yields events until the stream ends. It watches over the stream's silence, which lasts only as long
// as it waits for a batch: not while a consumer is busy.
func (o *ConnectOptions) read(ctx context.Context, ahead *readAhead, idle *time.Timer, yield func(Event) bool) error {
	var b batch
	for {
		if o.OnWait != nil {
			o.OnWait()
		}
		idle.Reset(o.IdleTimeout)
		b = ahead.take(b)
		idle.Stop()
		if b.n > 0 && o.OnRead != nil {
			o.OnRead(b.n)
		}
		for i := range b.events {
			e := &b.events[i]
			// Events that were read before the context was cancelled are not delivered after it.
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			o.Session.passed(e)
			if e.Type != "" && !yield(*e) {
				return nil
			}
		}
		if b.err != nil {
			*o.Session = ahead.session // an unfinished block may have had a reconnection time
			return streamError(b.err)
		}
	}
}

func streamError(err error) error {
	switch err {
	case io.EOF:
		return ErrEndOfStream
	case ErrEventTooLarge:
		return err
	default:
		return fmt.Errorf("sse: reading the stream: %w", err)
	}
}
