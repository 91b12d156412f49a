// Package peers has the implementations of a reader of the auto-configuration stream that the benchmarks
// compare. Each follows the documentation of its library, without options that would slow it down, and
// each makes the same calls of the same handler.
package peers

import (
	"context"
	"errors"
	"net/http"

	"github.com/relaystream/autoconfig"
)

// An Output receives the results of a peer. Peers below the level Changes only call Read.
type Output interface {
	autoconfig.MessageHandler
	// Read reports bytes and events that have been read.
	Read(bytes, events int)
}

// A Level says how far a peer processes the stream. Each level includes the ones before it.
type Level int

const (
	Bytes    Level = iota // discards the bytes
	Events                // splits the stream into events and discards them
	Messages              // decodes the JSON and discards the result
	Changes               // keeps the state and calls the handler
)

// A Peer is an implementation of a reader.
type Peer struct {
	Name  string
	About string
	Level Level
	// Run reads the stream at url until ctx ends or the connection breaks. When it returns, all its
	// goroutines and connections are gone.
	Run func(ctx context.Context, client *http.Client, url string, out Output) error
}

// All returns the peers, the limit first.
func All() []Peer {
	return []Peer{
		{"limit", "the response body, discarded", Bytes, limit},
		{"eventsource", "launchdarkly/eventsource, events counted", Events, eventSource},
		{"classic", "launchdarkly/eventsource, encoding/json, a map", Changes, classic},
		{"rxgo", "the same through ReactiveX/RxGo v2", Changes, rxGo},
		{"ro", "the same through samber/ro", Changes, samberRo},
		{"gosse", "tmaxmax/go-sse, go-json-experiment/json v2, a map", Changes, goSSE},
		{"ours: events", "sse.Connect, events counted", Events, ourEvents},
		{"ours: messages", "and decode.Messages, messages counted", Messages, ourMessages},
		{"ours: changes", "and diff.Changes, Dispatch", Changes, ourChanges},
		{"ours: Observe", "Observe, Dispatch", Changes, observe},
		{"ours: Client", "Open, a lossless subscriber, Dispatch", Changes, openClient},
		{"ours: StreamManager", "in the place of Relay's", Changes, streamManager},
	}
}

// Modules returns the paths of the modules that peers and parts use, without this library.
func Modules() []string {
	return []string{
		"github.com/go-json-experiment/json", "github.com/launchdarkly/eventsource", "github.com/reactivex/rxgo/v2",
		"github.com/samber/ro", "github.com/tmaxmax/go-sse",
	}
}

// request returns the request that every peer makes.
func request(ctx context.Context, url string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	return req, nil
}

// ended returns the error of a stream that ended with err, nil if ctx ended it.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("the stream ended")
	}
	return err
}
