// Package clients compares clients of server-sent events: what each does by default where a server, or the
// network, is not as it should be. The table in the README of package sse has the answers, which the tests
// check.
package clients

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/launchdarkly/eventsource"
	r3labs "github.com/r3labs/sse/v2"
	gosse "github.com/tmaxmax/go-sse"

	"github.com/relaystream/autoconfig/stream/sse"
)

// firstDelay is before the first retry, for those that can be told.
const firstDelay = 20 * time.Millisecond

// A subscription is what a client is asked for.
type subscription struct {
	url   string
	http  *http.Client
	key   string // sent as X-Api-Key
	body  string // sent by POST, if the client can
	event func(data string)
	fail  func(err error)
}

// A client subscribes until ctx ends or it gives up.
type client struct {
	name string
	run  func(ctx context.Context, s *subscription)
}

// all returns the clients, in the order of the table.
func all() []client {
	return []client{{"this", ours}, {"eventsource", eventSource}, {"r3labs/sse", r3Labs}, {"go-sse", goSSE}}
}

func (s *subscription) request(ctx context.Context) (*http.Request, error) {
	method := http.MethodGet
	if s.body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url, bytes.NewReader([]byte(s.body)))
	if err == nil {
		req.Header.Set("X-Api-Key", s.key)
	}
	return req, err
}

func ours(ctx context.Context, s *subscription) {
	_ = sse.Subscribe(s.request, &sse.SubscribeOptions{
		Connect: sse.ConnectOptions{Client: s.http},
		Backoff: sse.Backoff{Initial: firstDelay},
		OnState: func(state sse.State) {
			if state.Err != nil {
				s.fail(state.Err)
			}
		},
	}).ForEach(ctx, func(e sse.Event) error {
		s.event(string(e.Data))
		return nil
	})
}

func eventSource(ctx context.Context, s *subscription) {
	req, err := s.request(ctx)
	if err != nil {
		return
	}
	stream, err := eventsource.SubscribeWithRequestAndOptions(req,
		eventsource.StreamOptionHTTPClient(s.http),
		eventsource.StreamOptionInitialRetry(firstDelay),
		eventsource.StreamOptionCanRetryFirstConnection(-1),
		eventsource.StreamOptionErrorHandler(func(err error) eventsource.StreamErrorHandlerResult {
			s.fail(err)
			return eventsource.StreamErrorHandlerResult{CloseNow: ctx.Err() != nil}
		}))
	if err != nil {
		return
	}
	defer stream.Close()
	for {
		select {
		case e, ok := <-stream.Events:
			if !ok {
				return
			}
			s.event(e.Data())
		case <-ctx.Done():
			return
		}
	}
}

// retries is a back-off of r3labs that ends with the context.
type retries struct{ ctx context.Context }

func (retries) Reset() {}

func (r retries) NextBackOff() time.Duration {
	if r.ctx.Err() != nil {
		return -1
	}
	return firstDelay
}

func r3Labs(ctx context.Context, s *subscription) {
	c := r3labs.NewClient(s.url)
	c.Connection = s.http
	c.Headers["X-Api-Key"] = s.key
	c.ReconnectStrategy = retries{ctx}
	c.ReconnectNotify = func(err error, _ time.Duration) { s.fail(err) }
	if err := c.SubscribeRawWithContext(ctx, func(e *r3labs.Event) { s.event(string(e.Data)) }); err != nil {
		s.fail(err)
	}
}

func goSSE(ctx context.Context, s *subscription) {
	req, err := s.request(ctx)
	if err != nil {
		return
	}
	c := gosse.Client{
		HTTPClient: s.http,
		Backoff:    gosse.Backoff{InitialInterval: firstDelay},
		OnRetry:    func(err error, _ time.Duration) { s.fail(err) },
	}
	connection := c.NewConnection(req)
	connection.SubscribeToAll(func(e gosse.Event) { s.event(e.Data) })
	if err := connection.Connect(); err != nil {
		s.fail(err)
	}
}
