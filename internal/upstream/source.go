package upstream

import (
	"context"
	"fmt"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// errCompleted is how a subscription ends whose source completed. It counts as the regular end of a connection.
var errCompleted = fmt.Errorf("autoconfig: Options.Source completed: %w", sse.ErrEndOfStream)

// Source is source in the place of Connect and the decoding of its events. Each subscription calls begin, like
// Connect, and opened at its first message; passing tells that a message is being passed on, or has been. It ends
// with an error that matches sse.ErrEndOfStream if source completes.
func Source(
	source stream.Observable[decode.Message], begin Begin, opened func(), passing func(bool),
) stream.Observable[decode.Message] {
	return func(ctx context.Context, yield func(decode.Message) bool) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := begin(ctx); err != nil {
			return err
		}
		isOpen, stopped := false, false
		err := source(ctx, func(m decode.Message) bool {
			if !isOpen {
				isOpen = true
				opened()
			}
			passing(true)
			defer passing(false)
			stopped = !yield(m)
			return !stopped
		})
		if err == nil && !stopped {
			return errCompleted
		}
		return err
	}
}
