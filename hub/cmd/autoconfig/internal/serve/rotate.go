package serve

import (
	"context"
	"log/slog"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/stream"
)

// rotationInterval is how often the file of the key is read for the sake of the readers. The connection to the service
// reads it whenever it is made.
const rotationInterval = 5 * time.Second

// A rotation makes the hub take the key that is in the key's file now, and no other.
type rotation struct {
	service cli.Service
	process *cli.Process
	log     *slog.Logger
	hub     *hub.Hub
	current autoconfig.AutoConfigKey
}

// run looks for another key until ctx ends.
func (r *rotation) run(ctx context.Context) {
	_ = stream.Interval(rotationInterval).ForEach(ctx, func(time.Time) error { // ends with ctx
		r.look()
		return nil
	})
}

// look reads the file. What cannot be used changes nothing.
func (r *rotation) look() {
	key, err := r.service.Key(r.process)
	if err != nil || key == r.current {
		return
	}
	if err := r.hub.SetKeys([]autoconfig.AutoConfigKey{key}); err != nil {
		r.log.Warn("the key in the file cannot be used for readers", "error", err)
		return
	}
	r.current = key
	r.log.Info("the auto-configuration key has changed: readers need the new one now")
}
