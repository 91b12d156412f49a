package sse

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

// DefaultIdleTimeout is the default of ConnectOptions.IdleTimeout.
const DefaultIdleTimeout = 5 * time.Minute

const (
	mediaType = "text/event-stream"

	defaultConnectTimeout = 10 * time.Second
	defaultMaxRedirects   = 10
	// maxErrorBody limits how much of a refusal's body is read, in bytes.
	maxErrorBody = 4 << 10
	// maxSentID is the longest last event ID that is sent, in bytes. Servers refuse long headers, and would
	// refuse this one at every attempt.
	maxSentID = 4 << 10
)

// ConnectOptions are the options of Connect. The zero value is the defaults.
type ConnectOptions struct {
	// Client sends the request. It is copied without its Timeout, which would bound the whole
	// stream, and never modified; its CheckRedirect is asked first, then the rules of Connect hold
	// too. If its Transport is an *http.Transport, each connection has a clone of that, so that no
	// network connection is used for two of them, or left behind; the clone's ReadBufferSize is 16 KiB if
	// that is 0. Any other RoundTripper must heed the request's context, and its Close, by which it is told
	// not to use the network connection again.
	//
	// Nil means a client that speaks HTTP/1.1 and takes proxies from the environment.
	Client *http.Client
	// ConnectTimeout bounds each of the dial, the TLS handshake, the wait for the response's
	// header, and the reading of an error's body. Each redirect has as much again. 0 means 10 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long the server may send nothing, not even a comment. The time that yield
	// takes does not count. 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration
	// MaxEventSize is the limit of ScanOptions. Connect reads ahead, so there can be two buffers: one with
	// the events that yield still uses, and one being filled. Each takes at most the limit and 512 KiB, and
	// less than 100 bytes more for each event in it. A compressed stream counts as it is after
	// decompression. 0 means 64 MiB.
	MaxEventSize int
	// MaxRedirects is how many redirects are followed. One more is a *StatusError. 0 means 10, and a
	// negative number none.
	MaxRedirects int
	// RefusePlainHTTP refuses plain http to hosts other than loopback, by the request or by a redirect,
	// with ErrPlainHTTP. It is for requests whose credentials must not travel in the clear.
	RefusePlainHTTP bool
	// Session is continued and updated. Its last event ID is sent, unless it contains control characters,
	// which a header cannot carry, or is longer than 4 KiB. Nil means a fresh session for each
	// subscription.
	Session *Session
	// Comments yields the comments, too, as in ScanOptions.
	Comments bool
	// Borrow saves a copy of each event's data, as in ScanOptions: Event.Data is valid only until yield
	// returns.
	Borrow bool
	// Pieces, if positive, yields an event once this many bytes of its data are there, before it is complete, so
	// that it is never in memory as a whole. Event.Body reads it, until yield returns. Read waits until as many
	// bytes more are there or the event is complete, calls OnWait and OnRead, and returns io.EOF only when the
	// event is complete. Any other error means that the event must be ignored, as if nothing of it had arrived;
	// it is io.ErrUnexpectedEOF if the stream has ended. What is not read is skipped. Read must be called on the
	// subscribing goroutine.
	//
	// Such an event has the fields that came before it is yielded; the Session changes when it is complete.
	// Comments that follow are not yielded, and another name is ErrLateType. An event is not yielded in pieces
	// while it has no name, or if it arrives all at once. MaxEventSize holds for all pieces together. 0 means
	// that all events are yielded when they are complete.
	Pieces int
	// OnOpen, if not nil, is called on the subscribing goroutine with a valid response before its
	// body is read. It must not touch the body. The request in it holds the credential.
	OnOpen func(*http.Response)
	// OnRead, if not nil, is called on the subscribing goroutine with the number of bytes, after
	// decompression, that were read since the last call. It is called before their events are yielded.
	OnRead func(n int)
	// OnWait, if not nil, is called on the subscribing goroutine when all events that have been read are
	// yielded, before it waits for more.
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
	if opts.Pieces < 0 {
		return opts, fmt.Errorf("%w: Pieces is %d, must be 0 (none) or positive", ErrInvalidOption, opts.Pieces)
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
// of its own, so that a credential that has changed is read again. To a copy of the request it adds the
// headers Accept, Accept-Encoding (a compressed stream may arrive late), Cache-Control and
// Last-Event-ID. A body is sent again if the request has GetBody, as those of http.NewRequest have.
//
// It always ends with an error, unless yield stops it:
//
//   - the context's cause;
//   - ErrConnectTimeout or ErrIdle, if the server was too slow;
//   - a *StatusError for a status other than 200, a *ContentTypeError or a *ContentCodingError for another
//     kind of response;
//   - ErrEndOfStream, ErrEventTooLarge or ErrLateType;
//   - ErrPlainHTTP, if RefusePlainHTTP is set;
//   - ErrInvalidOption for a negative duration or size;
//   - the error of newRequest, wrapped;
//   - the error of the network or of the HTTP stack, for errors.Is and errors.As. Its text names the kind
//     of fault only, because the original may quote what the server sent.
//
// Cancelling the context ends it at once in every phase.
//
// Up to MaxRedirects redirects are followed. Headers that may hold a secret are sent only to the origin
// (scheme, host and port) of the request: at the first redirect to another origin all headers are dropped,
// except the ones that Connect adds, Accept-Language, Content-Type and User-Agent. They stay dropped,
// even if a later redirect leads back.
//
// The options are copied at the call. A nil newRequest panics, as does one that returns neither a
// request nor an error.
func Connect(newRequest RequestFunc, o *ConnectOptions) stream.Observable[Event] {
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

func (o *ConnectOptions) connect(ctx context.Context, newRequest RequestFunc, yield func(Event) bool) error {
	req, err := newRequest(ctx)
	if err != nil {
		return fmt.Errorf("sse: making the request: %w", err)
	}
	// The request may have been made with a context of its own: both can end the connection.
	reqCtx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })()

	a := o.newAttempt(reqCtx, cancel, req.URL)
	defer a.release()
	resp, body, err := a.open(req)
	if err != nil {
		return err
	}
	if o.OnOpen != nil {
		o.OnOpen(resp)
	}
	return a.readFrom(ctx, resp, body, yield)
}

// readFrom yields the events of body, which is that of resp without a coding, and closes resp's.
func (a *attempt) readFrom(ctx context.Context, resp *http.Response, body io.Reader, yield func(Event) bool) error {
	// A body that does not end with the context ends when it is closed.
	stop := context.AfterFunc(a.ctx, func() { _ = resp.Body.Close() })
	ahead := newReadAhead(body, ScanOptions{MaxEventSize: a.MaxEventSize, Session: a.Session, Comments: a.Comments}, a.Pieces)
	defer func() {
		stop()
		a.cancel(nil)
		_ = resp.Body.Close() // nothing is left to lose
		ahead.close()
		a.Session.huge = ahead.session.huge
	}()
	idle := time.AfterFunc(a.IdleTimeout, func() { a.cancel(ErrIdle) })
	defer idle.Stop()
	err := (&reading{ConnectOptions: a.ConnectOptions, ctx: ctx, ahead: ahead, idle: idle}).run(yield)
	if cause := context.Cause(a.ctx); err != nil && cause != nil {
		return cause // why the connection was ended, if that was here
	}
	return err
}

// A reading yields what a readAhead has read, to one subscription.
type reading struct {
	*ConnectOptions
	ctx   context.Context
	ahead *readAhead
	idle  *time.Timer
	batch batch
	at    int // of the next event in batch
}

// run yields events until the stream ends.
func (r *reading) run(yield func(Event) bool) error {
	for e := r.next(); e != nil; e = r.next() {
		if !e.delivered() {
			continue
		}
		if !r.Borrow {
			e.own()
		}
		pass := yield
		if e.Body != nil {
			pass = r.inPieces(yield)
		}
		if !pass(*e) {
			return nil
		}
	}
	return r.end()
}

// next returns the next event, which is valid until the next call, or nil if there is none. Each piece is an event.
func (r *reading) next() *Event {
	for r.at == len(r.batch.events) {
		if r.batch.err != nil {
			return nil
		}
		r.take()
	}
	// Events that were read before the context was cancelled are not delivered after it.
	if r.ctx.Err() != nil {
		return nil
	}
	e := &r.batch.events[r.at]
	r.at++
	if e.Body == nil || e.Body == part(false) {
		r.Session.passed(e)
	}
	return e
}

// end returns why there is no next event.
func (r *reading) end() error {
	if r.at < len(r.batch.events) {
		return context.Cause(r.ctx)
	}
	*r.Session = r.ahead.session // an unfinished block may have set a reconnection time
	return streamError(r.batch.err)
}

// take waits for the next batch. Only this counts as the server's silence, not the time in which a subscriber is busy.
func (r *reading) take() {
	if r.OnWait != nil {
		r.OnWait()
	}
	r.idle.Reset(r.IdleTimeout)
	r.batch, r.at = r.ahead.take(r.batch), 0
	r.idle.Stop()
	if r.batch.n > 0 && r.OnRead != nil {
		r.OnRead(r.batch.n)
	}
}

func streamError(err error) error {
	switch err {
	case io.EOF:
		return ErrEndOfStream
	case ErrEventTooLarge, ErrLateType:
		return err
	default:
		return &failure{doing: "reading the stream", cause: err}
	}
}
