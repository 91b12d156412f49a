package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/relaystream/autoconfig/bench/soak"
)

// errTrend reports a metric that keeps growing.
var errTrend = errors.New("soak: a trend was found")

// runSoak is the command soak: see package soak. It writes soak.json and a chart. A trend is an error, as
// a divergence is.
func runSoak(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg := soak.Config{}
	flags := flag.NewFlagSet("bench soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&cfg.For, "for", 10*time.Minute, "how long to run")
	flags.DurationVar(&cfg.Round, "round", 4*time.Second, "how long the faults of each round last")
	flags.IntVar(&cfg.Environments, "environments", 200, "number of environments")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "seed of faults, visitors and messages")
	out := flags.String("out", "", "directory for results (default a new one in results of this module)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if cfg.For <= 0 || cfg.Round <= 0 || cfg.Environments < 2 {
		return errors.New("for and round must be positive, environments at least 2")
	}
	dir, err := resultsIn(*out)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, thisMachine())
	line := newProgress(stderr)
	rounds := 0
	cfg.Progress = func(s soak.Sample) {
		rounds++
		line.say(fmt.Sprintf("%v of %v: round %d: %d messages, %d faults, recovered in %v; heap %.1f MiB, %d goroutines, %d descriptors",
			s.At.Round(time.Second), cfg.For, rounds, s.Messages, s.Faults, s.Recovery.Round(time.Millisecond),
			float64(s.Rest.Heap)/(1<<20), s.Rest.Goroutines, s.Rest.Descriptors))
	}
	result, failed := soak.Run(ctx, cfg)
	line.clear()
	return errors.Join(failed, reportSoak(stdout, dir, cfg, result))
}

// A soakReport has the results of a run.
type soakReport struct {
	Time         time.Time     `json:"time"`
	Machine      machine       `json:"machine"`
	For          time.Duration `json:"for"`
	Round        time.Duration `json:"round"`
	Environments int           `json:"environments"`
	Seed         uint64        `json:"seed"`
	soak.Result
}

func reportSoak(stdout io.Writer, dir string, cfg soak.Config, result soak.Result) error {
	report := soakReport{time.Now().UTC(), thisMachine(), cfg.For, cfg.Round, cfg.Environments, cfg.Seed, result}
	if err := writeJSON(dir, "soak.json", report); err != nil {
		return err
	}
	if len(result.Samples) == 0 {
		return nil
	}
	printSoak(stdout, result)
	if err := drawSoak(result, filepath.Join(dir, "soak")); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nresults and chart are in %s\n", dir)
	return failedTrends(result)
}

func failedTrends(result soak.Result) error {
	var failed []error
	for _, t := range result.Trends {
		if t.Failed() {
			failed = append(failed, fmt.Errorf("%w: %s: %.0f more in the second half", errTrend, t.Metric, t.Growth))
		}
	}
	return errors.Join(failed...)
}

func printSoak(w io.Writer, result soak.Result) {
	var sum soak.Sample
	for _, s := range result.Samples {
		sum.Messages += s.Messages
		sum.Delivered += s.Delivered
		sum.Faults += s.Faults
		sum.Connections += s.Connections
		sum.Visitors += s.Visitors
		sum.Recovery = max(sum.Recovery, s.Recovery)
		sum.Closing = max(sum.Closing, s.Closing)
		sum.Rest.Resident = max(sum.Rest.Resident, s.Rest.Resident)
		sum.At = s.At
	}
	fmt.Fprintf(w, "\n%d rounds in %v: %d messages, %d faults, %d connections, %d visitors; subscribers of the client got %d changes\n",
		len(result.Samples), sum.At.Round(time.Second), sum.Messages, sum.Faults, sum.Connections, sum.Visitors, sum.Delivered)
	fmt.Fprintf(w, "at most %v until everybody had recovered, %v for a Close, %d MiB resident at the end of a round\n\n",
		sum.Recovery.Round(time.Millisecond), sum.Closing.Round(time.Millisecond), sum.Rest.Resident>>20)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "second half\tmedian\tgrowth\tallowance\t\t\n")
	for _, t := range result.Trends {
		verdict := "ok"
		switch {
		case t.Allowance == 0:
			verdict = "too few rounds to tell"
		case t.Failed():
			verdict = "GROWS"
		}
		fmt.Fprintf(table, "%s\t%.0f\t%+.0f\t%.0f\t%s\t\n", t.Metric, t.Median, t.Growth, t.Allowance, verdict)
	}
	_ = table.Flush() // as with any other output
}
