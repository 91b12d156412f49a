package upstream

import (
	"context"
	"fmt"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// errCompleted ends a subscription whose source completed. It counts as the regular end of a connection.
var errCompleted = fmt.Errorf("autoconfig: Options.Source completed: %w", sse.ErrEndOfStream)

// Source makes source a connection, like that of Connect with its events decoded. Each subscription calls begin, as
// that does, and opened at its first message. It calls passing with true when a message arrives, and with false when
// it has been passed on. If source completes, the error matches sse.ErrEndOfStream.
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
