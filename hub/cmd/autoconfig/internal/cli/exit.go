package cli

import (
	"context"
	"errors"
	"net/http"
	"syscall"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/stream/sse"
)

// Exit statuses.
const (
	Done        = 0 // it did what it was asked to do, or was interrupted
	Failure     = 1 // anything else went wrong
	Usage       = 2 // the flags, the environment or the key cannot be used
	KeyRejected = 3 // the service rejected the key: 401 or 403
	SentAway    = 4 // the service asked the client not to come back: 204
)

// ExitHelp is the table of exit statuses for help texts.
const ExitHelp = `Exit status:
  0  it has done what it was asked to do, or was interrupted
  1  it failed
  2  the flags, the environment or the key cannot be used
  3  the service rejected the key (401 or 403)
  4  the service asked the client not to come back (204)
`

// ExitStatus returns the exit status for err, with which a subcommand has ended. The end of ctx is an interruption, and
// so is the end of the program that reads the output.
func ExitStatus(ctx context.Context, err error) int {
	var option *autoconfig.OptionError
	var status *sse.StatusError
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, syscall.EPIPE):
		return Done
	case errors.As(err, &option), errors.Is(err, autoconfig.ErrInvalidKey):
		return Usage
	case errors.Is(err, autoconfig.ErrKeyRejected):
		return KeyRejected
	case errors.As(err, &status) && status.Code == http.StatusNoContent:
		return SentAway
	default:
		return Failure
	}
}
