// Package watch is the subcommand that shows a configuration and its changes: in a terminal as a view that is kept up
// to date, elsewhere as lines.
package watch

import (
	"context"
	"fmt"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
)

const about = `shows the configuration, and each change as it happens.

In a terminal it is a view that is kept up to date: "/" searches, "q" quits. Elsewhere each change is one line with its
kind, the item and its version, and what differs. The first lines are what there is, and end with "synced". Keys are
masked. With -json each line is an object with the members "time", "change" and "fields".

It reconnects by itself, until it is interrupted, the service rejects the key, or asks it not to come back.
`

type flags struct {
	*cli.Flags
	service cli.Service
	log     cli.Log
	json    bool
}

func newFlags() *flags {
	f := &flags{Flags: cli.NewFlags("watch", about)}
	f.service.Register(f.Flags)
	f.BoolVar(&f.json, "json", false, "print one JSON object a line, also in a terminal")
	f.log.Register(f.Flags, "warn")
	return f
}

// Flags returns the flags of the subcommand.
func Flags() *cli.Flags { return newFlags().Flags }

// Run runs the subcommand, and returns its exit status.
func Run(ctx context.Context, p *cli.Process) int {
	f := newFlags()
	if status, ok := f.Parse(p); !ok {
		return status
	}
	options, err := f.service.Options(p)
	if err != nil {
		return f.Refuse(p, "%v", err)
	}
	err = f.watch(ctx, p, options)
	status := cli.ExitStatus(ctx, err)
	if status != cli.Done {
		_, _ = fmt.Fprintf(p.Stderr, "autoconfig watch: %v\n", err)
	}
	return status
}

func (f *flags) watch(ctx context.Context, p *cli.Process, options *autoconfig.Options) error {
	options.Logger, options.StopOnRejectedKey = f.log.Logger(p.Stderr), true
	if f.json || !cli.IsTerminal(p.Stdin) || !cli.IsTerminal(p.Stdout) {
		return printLines(ctx, p.Stdout, f.json, options)
	}
	if cli.IsTerminal(p.Stderr) { // the log would be written across the view, which shows errors itself
		options.Logger = discard
	}
	return show(ctx, p, options)
}
