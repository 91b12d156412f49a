// Command bench compares ways to read the auto-configuration stream in Go: this library at each of
// its stages, and the usual ones. It runs every scenario against every peer in one process, in turns,
// prints medians and spreads, and writes them as JSON and as charts.
//
//	go run ./bench                            everything, for about a quarter of an hour
//	go run ./bench -scenario 'patches,put-*'  some scenarios
//	go run ./bench -size 20000 -rounds 3      less of everything
//	GOGC=off go run ./bench                   without the garbage collector
//	go run ./bench soak -for 20m              this library alone, on an unreliable network
//	go run ./bench fleet                      10,000 clients of one server
//	go run ./bench fleet-nats                 up to 1,000 members of a fleet with a NATS server
//	go run ./bench readme -from …/results.json -readme README.md   the README's figures and chart
//
// Absolute numbers depend on the machine: compare only what was measured in one run. CONTRIBUTING.md
// says how to compare two revisions.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
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

// A plan is a parsed command line.
type plan struct {
	scenarios []scenario
	list      bool
	arguments arguments
	out       string
}

func (p plan) load() load { return load{size: p.arguments.Size, flush: p.arguments.Flush} }

func parse(args []string, stderr io.Writer) (plan, error) {
	var p plan
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	a := &p.arguments
	flags.StringVar(&a.Scenario, "scenario", defaultScenario, "comma-separated names or patterns of scenarios; \"list\" lists them")
	flags.IntVar(&a.Size, "size", 200_000, "messages in the largest scenario; everything else is in proportion")
	flags.IntVar(&a.Flush, "flush", defaultFlush, "messages that a busy server sends at once")
	flags.IntVar(&a.Rounds, "rounds", 5, "rounds that count; one more runs first")
	flags.StringVar(&p.out, "out", "", "directory for results (default a new one in results of this module)")
	flags.IntVar(&a.CPU, "cpu", 0, "GOMAXPROCS (default unchanged)")
	if err := flags.Parse(args); err != nil {
		return plan{}, err
	}
	if a.Size < 1 || a.Flush < 1 || a.Rounds < 1 {
		return plan{}, errors.New("size, flush and rounds must be at least 1")
	}
	runtime.GOMAXPROCS(a.CPU)
	if a.Scenario == "list" {
		p.list = true
		p.scenarios = scenarios()
		return p, nil
	}
	var err error
	p.scenarios, err = chosen(a.Scenario)
	return p, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"soak": runSoak, "fleet": runFleet, "fleet-nats": runNATSFleet, natsSideCommand: runNATSSide, "readme": runReadme,
	}
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
	fmt.Fprintf(stdout, "%s\n%s\n%s\n", report.Machine, strings.Join(report.Peers, ", "), aboutRelay)
	line := newProgress(stderr)
	for _, s := range p.scenarios {
		result, err := s.run(ctx, p, stdout, line)
		if err != nil {
			return err
		}
		if err := report.add(result, p.out); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "\nresults and charts are in %s\n", p.out)
	return nil
}

// run runs all cases of the scenario and prints the results of each.
func (s scenario) run(ctx context.Context, p plan, stdout io.Writer, line progress) (scenarioResult, error) {
	result := scenarioResult{Name: s.name, About: s.about, Metrics: s.metrics, Baseline: s.baseline, Axis: s.axis}
	for _, x := range s.cases(p.arguments.Size) {
		c, err := runCase(ctx, s, x, p.load(), p.arguments.Rounds, line.say)
		line.clear()
		if err != nil {
			return result, err
		}
		if err := printTable(stdout, s, c); err != nil {
			return result, err
		}
		result.Cases = append(result.Cases, c)
	}
	return result, nil
}

// aboutRelay says why the peer that everybody would look for is missing.
const aboutRelay = "Relay's own StreamManager is in an internal package and can't be imported. Measured elsewhere, it takes a third longer than classic."

// resultsIn creates the directory for results and returns its name. By default that is the time, in
// bench/results if the working directory is that of the repository, else in results.
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

// writeJSON writes a result to a file of that name in the directory.
func writeJSON(dir, name string, result any) error {
	text, err := json.MarshalIndent(result, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o644)
}
