// Command bench compares ways to read the auto-configuration stream in Go: this library at each of
// its stages, and the usual ones. It runs every scenario against every peer in one process, in turns,
// prints medians and spreads, and leaves them as JSON and as charts.
//
//	go run ./bench                            everything, about a quarter of an hour on a quiet machine
//	go run ./bench -scenario patches,put-*    some scenarios
//	go run ./bench -size 20000 -rounds 3      less of everything
//	GOGC=off go run ./bench                   another garbage collector
//	go run ./bench soak -for 20m              this library alone, on a network that fails, for long
//	go run ./bench fleet                      10,000 clients of one server
//	go run ./bench readme -from …/results.json   the README's table and chart
//
// Absolute numbers belong to the machine: compare what was measured in one run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A plan is what the command line asks for.
type plan struct {
	scenarios []scenario
	list      bool
	load      load
	rounds    int
	out       string
}

func parse(args []string, stderr io.Writer) (plan, error) {
	var p plan
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := flags.String("scenario", "*", "comma-separated names or patterns of scenarios; \"list\" lists them")
	flags.IntVar(&p.load.size, "size", 200_000, "messages in the largest scenario; all else is in proportion")
	// About 13 KB of patches, which is what fits into one TLS record: from the service, no read returns
	// more. Larger chunks would favour those who read much at once, smaller ones measure the server.
	flags.IntVar(&p.load.flush, "flush", 32, "messages that a busy server sends at once")
	flags.IntVar(&p.rounds, "rounds", 5, "rounds that count; one more runs before them")
	flags.StringVar(&p.out, "out", "", "directory for results (default a new one in results of this module)")
	cpu := flags.Int("cpu", 0, "GOMAXPROCS (default unchanged)")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	if p.load.size < 1 || p.load.flush < 1 || p.rounds < 1 {
		return plan{}, errors.New("size, flush and rounds must be at least 1")
	}
	runtime.GOMAXPROCS(*cpu)
	if *names == "list" {
		p.list = true
		p.scenarios = scenarios()
		return p, nil
	}
	var err error
	p.scenarios, err = chosen(*names)
	return p, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) error{"soak": runSoak, "fleet": runFleet, "readme": runReadme}
	if len(args) > 0 && commands[args[0]] != nil {
		return commands[args[0]](ctx, args[1:], stdout, stderr)
	}
	return runScenarios(ctx, args, stdout, stderr)
}

func runScenarios(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if p.list {
		for _, s := range p.scenarios {
			fmt.Fprintf(stdout, "%-14s %s\n", s.name, s.about)
		}
		return nil
	}
	if p.out, err = resultsIn(p.out); err != nil {
		return err
	}
	report := newReport(p)
	fmt.Fprintln(stdout, report.Machine)
	line := newProgress(stderr)
	for _, s := range p.scenarios {
		kept := scenarioResult{Name: s.name, About: s.about, Metrics: s.metrics, Baseline: s.baseline, Axis: s.axis}
		for _, x := range s.cases(p.load.size) {
			c, err := runCase(ctx, s, x, p.load, p.rounds, line.say)
			line.clear()
			if err != nil {
				return err
			}
			if err := printTable(stdout, s, c); err != nil {
				return err
			}
			kept.Cases = append(kept.Cases, c)
		}
		report.Scenarios = append(report.Scenarios, kept)
	}
	if err := report.write(p.out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nresults and charts are in %s\n", p.out)
	return nil
}

// resultsIn makes the directory for results. By default its name is the time, in bench/results if the
// program runs where go run ./bench is said, else in results.
func resultsIn(dir string) (string, error) {
	if dir == "" {
		dir = "results"
		if _, err := os.Stat(filepath.Join("bench", "main.go")); err == nil {
			dir = filepath.Join("bench", "results")
		}
		dir = filepath.Join(dir, time.Now().UTC().Format("20060102T150405Z"))
	}
	return dir, os.MkdirAll(dir, 0o755)
}
