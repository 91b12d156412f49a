package main

import (
	"context"
	"fmt"
	"io"

	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/check"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/serve"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/watch"
)

// A subcommand is what the first argument names.
type subcommand struct {
	name, summary string
	run           func(ctx context.Context, p *cli.Process) int
	flags         func() *cli.Flags
}

func subcommands() []subcommand {
	return []subcommand{
		{"watch", "shows the configuration, and each change as it happens", watch.Run, watch.Flags},
		{"check", "connects once, and says what is wrong", check.Run, check.Flags},
		{"hub", "serves the configuration on to Relays, with a page, probes and metrics", serve.Run, serve.Flags},
	}
}

// run runs the subcommand that the first argument names, and returns the exit status.
func run(ctx context.Context, p *cli.Process) int {
	if len(p.Args) == 0 {
		help(p.Stderr)
		return cli.Usage
	}
	name, rest := p.Args[0], *p
	rest.Args = p.Args[1:]
	for _, s := range subcommands() {
		if s.name == name {
			return s.run(ctx, &rest)
		}
	}
	if name == "help" || name == "-help" || name == "--help" || name == "-h" {
		help(p.Stdout)
		return cli.Done
	}
	_, _ = io.WriteString(p.Stderr, "autoconfig: the first argument is not a command.\n\n")
	help(p.Stderr)
	return cli.Usage
}

func help(w io.Writer) {
	_, _ = io.WriteString(w, "Autoconfig looks at the auto-configuration stream of LaunchDarkly's Relay Proxy, and serves it on.\n\nUsage: autoconfig COMMAND [flags]\n\n")
	for _, s := range subcommands() {
		_, _ = fmt.Fprintf(w, "  %-7s %s\n", s.name, s.summary)
	}
	_, _ = io.WriteString(w, "\nThe key is in the environment variable "+cli.KeyVariable+". 'autoconfig COMMAND -help' lists the flags and exit statuses.\n")
}
