package peers

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/launchdarkly/eventsource"
	"github.com/samber/ro"
)

// samberRo is classic with samber/ro between the event source and the state. Its operators are function
// calls.
func samberRo(ctx context.Context, client *http.Client, url string, out Output) error {
	stream, err := subscribe(ctx, client, url)
	if err != nil {
		return err
	}
	defer stream.Close()
	states := ro.Pipe2(
		ro.FromChannel[eventsource.Event](stream.Events),
		ro.MapErr(func(event eventsource.Event) (message, error) {
			return parse(json.Unmarshal, event.Event(), []byte(event.Data()))
		}),
		ro.Scan(func(s *state, m message) *state {
			s.apply(m)
			return s
		}, newState(out)),
	)
	ends := make(chan error, 1)
	subscription := states.Subscribe(ro.NewObserver(
		func(*state) {},
		func(err error) { ends <- err },
		func() { ends <- nil },
	))
	defer subscription.Unsubscribe()
	return ended(ctx, <-ends)
}
