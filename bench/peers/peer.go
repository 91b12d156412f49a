// Package peers holds the ways to read an auto-configuration stream in Go that the benchmarks
// compare. Each is written as its library's documentation recommends, without options that would
// slow it down, and each tells the same handler of the same changes.
package peers

import (
	"context"
	"errors"
	"net/http"

	"github.com/relaystream/autoconfig"
)

// An Output is where a peer's results go. Peers that stop short of changes call Read instead.
type Output interface {
	autoconfig.MessageHandler
	// Read counts what has been read.
	Read(bytes, events int)
}

// A Level says what a peer makes of the stream. Each includes the ones before it.
type Level int

// The levels.
const (
	Bytes    Level = iota // throws the bytes away
	Events                // separates the events, and throws them away
	Messages              // decodes the JSON, and throws the result away
	Changes               // keeps the state, and calls the handler
)

// A Peer reads streams.
type Peer struct {
	Name  string
	About string
	Level Level
	// Run reads the stream at url until ctx ends or the connection breaks. It has left nothing
	// behind when it returns.
	Run func(ctx context.Context, client *http.Client, url string, out Output) error
}

// All returns the peers, the limit first.
func All() []Peer {
	return []Peer{
		{"limit", "the response body, thrown away", Bytes, limit},
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
		{"ours: StreamManager", "the drop-in for Relay's", Changes, streamManager},
	}
}

// Modules returns the paths of the modules that peers and parts come from, but for this library.
func Modules() []string {
	return []string{
		"github.com/go-json-experiment/json", "github.com/launchdarkly/eventsource", "github.com/reactivex/rxgo/v2",
		"github.com/samber/ro", "github.com/tmaxmax/go-sse",
	}
}

// request is what every peer asks for.
func request(ctx context.Context, url string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	return req, nil
}

// ended is the error of a stream that ended with err, nil if that was asked for.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("the stream ended")
	}
	return err
}
