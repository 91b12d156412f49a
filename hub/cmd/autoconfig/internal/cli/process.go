// Package cli has what the subcommands of autoconfig share: flags that are environment variables, too, the
// key, the log and the exit status.
package cli

import (
	"io"
	"os"

	"github.com/charmbracelet/x/term"
)

// A Process is what a subcommand sees of the process that it runs in, so that tests can run it without one.
type Process struct {
	// Args are the arguments after the name of the subcommand.
	Args []string
	// Getenv returns the value of an environment variable, empty if it is not set.
	Getenv func(name string) string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// IsTerminal reports whether a stream of the process is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(file.Fd())
}
