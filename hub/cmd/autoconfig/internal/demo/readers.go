package demo

import (
	"context"
	"log/slog"
	"sync"

	"github.com/relaystream/autoconfig"
)

// Read is some made-up Relays that read from a hub, until ctx ends.
func Read(ctx context.Context, baseURI string) {
	var relays sync.WaitGroup
	for _, name := range []string{"relay-demo/east", "relay-demo/west", "relay-demo/staging"} {
		relays.Go(func() {
			changes := autoconfig.Observe(Key, &autoconfig.Options{
				BaseURI: baseURI, UserAgent: name, Logger: slog.New(slog.DiscardHandler),
			})
			_ = changes.ForEach(ctx, func(autoconfig.Change) error { return nil }) // ends with ctx
		})
	}
	relays.Wait()
}
