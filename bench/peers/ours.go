package peers

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

func connection(client *http.Client, url string) stream.Observable[sse.Event] {
	return sse.Connect(func(ctx context.Context) (*http.Request, error) {
		return request(ctx, url)
	}, &sse.ConnectOptions{Client: client, Borrow: true}) // none of the stages keeps an event
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
	return ended(ctx, autoconfig.Dispatch(ctx, changes, out))
}

// key is sent, but the server ignores it.
const key = "rel-00000000-0000-4000-8000-000000000000"

func observe(ctx context.Context, client *http.Client, url string, out Output) error {
	changes := autoconfig.Observe(key, &autoconfig.Options{BaseURI: url, HTTPClient: client, ProtocolVersion: 1, Logger: silent()})
	return ended(ctx, autoconfig.Dispatch(ctx, changes, out))
}

// silent returns a logger that logs nothing, as none of the peers does: a key that will expire is a warning.
func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openClient subscribes with a policy that merges nothing, so that the handler gets as many calls as those
// of the other peers.
func openClient(ctx context.Context, httpClient *http.Client, url string, out Output) error {
	var client *autoconfig.Client
	opened := make(chan struct{}) // closed once client is set
	// A late subscriber gets the state so far, not the changes that led to it. So each connection waits
	// for the subscriber.
	subscribed := func(ctx context.Context) (autoconfig.AutoConfigKey, error) {
		select {
		case <-opened:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		for len(client.Stats().Subscribers) == 0 {
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			runtime.Gosched()
		}
		return key, nil
	}
	client, err := autoconfig.Open(ctx, key, &autoconfig.Options{
		BaseURI: url, HTTPClient: httpClient, ProtocolVersion: 1, Key: subscribed, Logger: silent(),
	})
	if err != nil {
		return err
	}
	defer client.Close()
	close(opened)
	changes := client.ChangesUnder(stream.Block[autoconfig.Change](autoconfig.DefaultLag))
	return ended(ctx, autoconfig.Dispatch(ctx, changes, out))
}

func streamManager(ctx context.Context, client *http.Client, url string, out Output) error {
	manager := autoconfig.NewStreamManager(key, url, out, httpConfig{client}, 0, ldlog.NewDisabledLoggers())
	defer manager.Close()
	select {
	case err := <-manager.Start():
		if err != nil {
			return err
		}
		<-ctx.Done()
	case <-ctx.Done():
	}
	return nil
}

type httpConfig struct{ client *http.Client }

func (c httpConfig) Client() *http.Client { return c.client }
