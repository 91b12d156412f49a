package sse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/launchdarkly/eventsource"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

func ExampleScan() {
	input := ": a comment\n\nevent: greeting\ndata: hello\ndata: world\n\ndata: unfinished"
	for event, err := range sse.Scan(strings.NewReader(input), nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %q\n", event.Type, event.Data)
	}
	// Output: greeting "hello\nworld"
}

// newServer sends one event to whoever connects, and hangs up.
func newServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := r.Header.Get("Last-Event-ID")
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "id: "+after+"I\ndata: what follows \""+after+"\"\n\n")
	}))
}

func ExampleConnect() {
	server := newServer()
	defer server.Close()

	connection := sse.Connect(func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	}, nil)
	err := connection.ForEach(context.Background(), func(event sse.Event) error {
		fmt.Printf("%s\n", event.Data)
		return nil
	})
	fmt.Println(errors.Is(err, sse.ErrEndOfStream))
	// Output:
	// what follows ""
	// true
}

// A source that reconnects is a connection and a policy. The session lets each connection go on
// where the last one ended.
func ExampleSession() {
	server := newServer()
	defer server.Close()

	var session sse.Session
	connection := sse.Connect(func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	}, &sse.ConnectOptions{Session: &session})
	source := stream.Retry(connection, func() stream.RetryPolicy {
		return func(error) time.Duration {
			if delay, ok := session.Retry(); ok {
				return delay
			}
			return time.Millisecond
		}
	})
	for event, err := range stream.Take(source, 3).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", event.Data)
	}
	// Output:
	// what follows ""
	// what follows "I"
	// what follows "II"
}

func ExampleFromEventSource() {
	server := newServer()
	defer server.Close()

	// With an error handler, the stream does not wait for anybody to receive its errors.
	keepTrying := func(error) eventsource.StreamErrorHandlerResult { return eventsource.StreamErrorHandlerResult{} }
	source, err := eventsource.SubscribeWithURL(server.URL, eventsource.StreamOptionErrorHandler(keepTrying))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	event, err := sse.FromEventSource(source).First(context.Background())
	fmt.Printf("%s %v\n", event.Data, err)
	// Output: what follows "" <nil>
}
