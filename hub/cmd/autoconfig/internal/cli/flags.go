package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/relaystream/autoconfig/internal/quote"
)

// Flags are the flags of one subcommand. Each can be given as an environment variable, too.
type Flags struct {
	*flag.FlagSet
	// Exits is the table of exit statuses in the help. NewFlags sets it to ExitHelp.
	Exits string

	about string
}

// NewFlags returns the flags of a subcommand, which about describes in its help: a sentence that begins with what the
// subcommand does, and perhaps paragraphs.
func NewFlags(name, about string) *Flags {
	f := &Flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), Exits: ExitHelp, about: about}
	f.SetOutput(io.Discard) // Parse says what is wrong
	return f
}

// Variable returns the name of the environment variable that stands in for a flag.
func Variable(flagName string) string {
	return "AUTOCONFIG_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

// Parse sets the flags from the arguments and, those that these do not give, from the environment. If ok is false,
// the subcommand ends with the exit status: help was asked for and is printed, or something is wrong and is
// said. No text repeats a value, which may be a key in the wrong place.
func (f *Flags) Parse(p *Process) (status int, ok bool) {
	err := f.FlagSet.Parse(p.Args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.Help(p.Stdout)
		return Done, false
	case err != nil:
		return f.Refuse(p, "%s", f.fault(p.Args)), false
	case f.NArg() > 0:
		return f.Refuse(p, "there is an argument that is not a flag; the value of a boolean flag is given as -flag=false"), false
	}
	if variable := f.parseEnvironment(p); variable != "" {
		return f.Refuse(p, "the environment variable %s has a value that its flag cannot take", variable), false
	}
	return Done, true
}

// fault says what the parser of args has stumbled over.
func (f *Flags) fault(args []string) string {
	at := max(0, len(args)-f.NArg()-1)
	if at > 0 && !strings.HasPrefix(args[at], "-") { // a value that follows its flag
		at--
	}
	name, _, _ := strings.Cut(strings.TrimLeft(args[at], "-"), "=")
	switch {
	case f.Lookup(name) != nil:
		return "-" + name + " has no value, or one that it cannot take"
	case quote.IsName(name):
		return "there is no flag -" + name
	default:
		return "an argument is not a flag"
	}
}

// Given reports whether Parse has found a flag, in the arguments or in the environment.
func (f *Flags) Given(name string) (given bool) {
	f.Visit(func(flag *flag.Flag) { given = given || flag.Name == name })
	return given
}

// parseEnvironment sets the flags that the arguments left alone. It returns the name of a variable that is wrong.
func (f *Flags) parseEnvironment(p *Process) (wrong string) {
	f.VisitAll(func(flag *flag.Flag) {
		variable := Variable(flag.Name)
		value := p.Getenv(variable)
		if value != "" && !f.Given(flag.Name) && f.Set(flag.Name, value) != nil && wrong == "" {
			wrong = variable
		}
	})
	return wrong
}

// Refuse says what is wrong with how the subcommand was called, and returns Usage.
func (f *Flags) Refuse(p *Process, format string, args ...any) int {
	_, _ = fmt.Fprintf(p.Stderr, "autoconfig %s: %s.\n'autoconfig %s -help' lists the flags.\n", f.Name(), fmt.Sprintf(format, args...), f.Name())
	return Usage
}

// Help prints what the subcommand is for, its flags and its exit statuses.
func (f *Flags) Help(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "autoconfig %s %s\nUsage: autoconfig %s [flags]\n\n", f.Name(), f.about, f.Name())
	b.WriteString("Flags, each with the environment variable that stands in for it:\n\n")
	f.VisitAll(func(flag *flag.Flag) { b.WriteString(describe(flag)) })
	fmt.Fprintf(&b, "\n%s\n%s", keyHelp, f.Exits)
	_, _ = io.WriteString(w, b.String())
}

func describe(f *flag.Flag) string {
	value, usage := flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" {
		usage += fmt.Sprintf(" (default %s)", f.DefValue)
	}
	return fmt.Sprintf("  %-28s %s\n        %s\n", strings.TrimSpace("-"+f.Name+" "+value), Variable(f.Name), strings.ReplaceAll(usage, "\n", "\n        "))
}
