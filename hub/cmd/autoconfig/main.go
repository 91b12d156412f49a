// Autoconfig looks at the auto-configuration stream, and serves it on:
//
//	autoconfig watch   shows the configuration, and each change as it happens
//	autoconfig check   connects once, and says what is wrong
//	autoconfig hub     serves the configuration on to Relays, with a page, probes and metrics
//
// The key is in the environment variable AUTO_CONFIG_KEY, or in a file. "autoconfig COMMAND -help" tells the rest.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a pipe that nobody reads is an error of the write, and not the end of a hub
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	status := run(ctx, &cli.Process{Args: os.Args[1:], Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	stop()
	os.Exit(status)
}
