package peers

import (
	"context"
	"net/http"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// The stages of this library, one after the other. Each is what its package alone can do; the
// handler is only called at the end.

func connection(client *http.Client, url string) stream.Observable[sse.Event] {
	return sse.Connect(func(ctx context.Context) (*http.Request, error) {
		return request(ctx, url)
	}, &sse.ConnectOptions{Client: client})
}

func ourEvents(ctx context.Context, client *http.Client, url string, out Output) error {
	return ended(ctx, connection(client, url)(ctx, func(event sse.Event) bool {
		out.Read(len(event.Data), 1)
		return true
	}))
}

func ourMessages(ctx context.Context, client *http.Client, url string, out Output) error {
	messages := decode.Messages(connection(client, url), nil)
	return ended(ctx, messages(ctx, func(decode.Message) bool {
		out.Read(0, 1)
		return true
	}))
}

func ourChanges(ctx context.Context, client *http.Client, url string, out Output) error {
	changes := diff.Changes(decode.Messages(connection(client, url), nil), nil)
	return ended(ctx, changes(ctx, func(c diff.Change) bool {
		tell(out, c)
		return true
	}))
}

// tell calls the method of the handler that suits the change.
func tell(h Handler, c diff.Change) {
	switch c.Kind {
	case diff.EnvironmentAdded:
		h.AddEnvironment(params(c.New))
	case diff.EnvironmentUpdated:
		h.UpdateEnvironment(params(c.New))
	case diff.EnvironmentDeleted:
		h.DeleteEnvironment(c.Old.EnvID)
	case diff.Synced:
		h.ReceivedAllEnvironments()
	case diff.KeyExpired:
		h.KeyExpired(c.New.EnvID, c.Key.SDKKey)
	}
}
