package peers

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/launchdarkly/eventsource"
	"github.com/reactivex/rxgo/v2"
)

// rxGo is classic with RxGo between the event source and the state. Every operator is a goroutine
// behind a channel. Its documentation recommends buffered channels for throughput.
func rxGo(ctx context.Context, client *http.Client, url string, out Output) error {
	stream, err := subscribe(ctx, client, url)
	if err != nil {
		return err
	}
	defer stream.Close()
	source := rxgo.Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
		for event := range stream.Events {
			next <- rxgo.Of(event)
		}
	}}, rxgo.WithBufferedChannel(256))
	messages := source.Map(func(_ context.Context, item any) (any, error) {
		event := item.(eventsource.Event)
		return parse(json.Unmarshal, event.Event(), []byte(event.Data()))
	}, rxgo.WithBufferedChannel(256))
	states := messages.Scan(func(_ context.Context, acc, item any) (any, error) {
		s, ok := acc.(*state)
		if !ok {
			s = newState(out)
		}
		s.apply(item.(message))
		return s, nil
	}, rxgo.WithBufferedChannel(256))
	for item := range states.Observe() {
		if item.Error() {
			err = item.E
		}
	}
	return ended(ctx, err)
}
