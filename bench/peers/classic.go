package peers

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/launchdarkly/eventsource"
)

// subscribe connects as LaunchDarkly's own clients do, but without their read timeout, which costs a timer
// for each event.
func subscribe(ctx context.Context, client *http.Client, url string) (*eventsource.Stream, error) {
	req, err := request(ctx, url)
	if err != nil {
		return nil, err
	}
	return eventsource.SubscribeWithRequestAndOptions(req,
		eventsource.StreamOptionHTTPClient(client),
		eventsource.StreamOptionErrorHandler(func(error) eventsource.StreamErrorHandlerResult {
			return eventsource.StreamErrorHandlerResult{CloseNow: true}
		}))
}

// eventSource counts the events.
func eventSource(ctx context.Context, client *http.Client, url string, out Output) error {
	stream, err := subscribe(ctx, client, url)
	if err != nil {
		return err
	}
	defer stream.Close()
	for event := range stream.Events {
		// The size of the data will do: nobody counts the bytes of this level.
		out.Read(len(event.Data()), 1)
	}
	return ended(ctx, nil)
}

// classic is the usual implementation: the channel of an event source, encoding/json, a map.
func classic(ctx context.Context, client *http.Client, url string, out Output) error {
	stream, err := subscribe(ctx, client, url)
	if err != nil {
		return err
	}
	defer stream.Close()
	state := newState(out)
	for event := range stream.Events {
		m, err := parse(json.Unmarshal, event.Event(), []byte(event.Data()))
		if err != nil {
			return err
		}
		state.apply(m)
	}
	return ended(ctx, nil)
}
