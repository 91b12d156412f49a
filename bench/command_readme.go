package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot/vg"
)

// runReadme is the command readme: of a run's results it makes the chart and the table that the
// project's README has. It measures nothing.
func runReadme(_ context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench readme", flag.ContinueOnError)
	flags.SetOutput(stderr)
	from := flags.String("from", "", "results.json of a run of the scenarios "+readmeScenarios)
	chart := flags.String("chart", filepath.Join("bench", "patches.svg"), "where to write the chart; the extension says its form")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*from)
	if err != nil {
		return err
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	return errors.Join(r.readmeTable(stdout), r.readmeChart(*chart))
}

const readmeScenarios = "patches,latency,put-*,framing,decode,operators"

// readmeTable writes the table in Markdown, with what was measured, when and on what.
func (r *report) readmeTable(w io.Writer) error {
	fmt.Fprintf(w, "`go run ./bench -scenario %s -size %d -rounds %d`, %s, %s, medians.\n\n",
		readmeScenarios, r.Size, r.Rounds, r.Machine, r.Time.Format("2 January 2006"))
	fmt.Fprint(w, "| | classic | this library | ratio |\n| --- | --- | --- | --- |\n")
	for _, row := range []struct {
		what, scenario, ours string
		allocations          bool
	}{
		{"a patch, end to end over loopback into a `MessageHandler`", "patches", "ours: StreamManager", true},
		{"from the server's write to the handler's call, median", "latency", "ours: StreamManager", false},
		{"an environment of a repeated put", "put-unchanged", "ours: StreamManager", false},
		{"an environment of a first put", "put-first", "ours: StreamManager", false},
		{"an event separated, out of memory (`eventsource` alone)", "framing", "ours", false},
		{"a patch decoded (`encoding/json` alone)", "decode", "ours", false},
		{"an item through five operators (RxGo v2)", "operators", "ours", false},
	} {
		s, err := r.scenario(row.scenario)
		if err != nil {
			return err
		}
		theirs, ours := s.result(s.Baseline), s.result(row.ours)
		if theirs == nil || ours == nil {
			return fmt.Errorf("%s has no results of %s and %s", s.Name, s.Baseline, row.ours)
		}
		cell := func(x *result) string {
			text := short(x.Metrics[0].Median) + " ns"
			if row.allocations {
				text += ", " + short(x.Metrics[1].Median) + " allocations"
			}
			return text
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n",
			row.what, cell(theirs), cell(ours), short(theirs.Metrics[0].Median/ours.Metrics[0].Median))
	}
	return nil
}

func (r *report) scenario(name string) (*scenarioResult, error) {
	for i := range r.Scenarios {
		if r.Scenarios[i].Name == name {
			return &r.Scenarios[i], nil
		}
	}
	return nil, fmt.Errorf("there are no results of %s", name)
}

// result is what a peer has shown in the only case; nil if it took no part.
func (s *scenarioResult) result(peer string) *result {
	for i := range s.Cases[0].Results {
		if r := &s.Cases[0].Results[i]; r.Peer == peer {
			return r
		}
	}
	return nil
}

// readmeChart draws how long a patch takes, for those who can be chosen between.
func (r *report) readmeChart(path string) error {
	patches, err := r.scenario("patches")
	if err != nil {
		return err
	}
	chart := scenarioResult{Metrics: []string{"nanoseconds for a patch, end to end: less is better"}, Cases: []caseResult{{}}}
	for _, bar := range []struct{ peer, name string }{
		{"ours: StreamManager", thisLibrary},
		{"gosse", "go-sse and JSON v2"},
		{"classic", "eventsource and encoding/json"},
		{"ro", "the same through samber/ro"},
		{"rxgo", "the same through RxGo v2"},
	} {
		found := patches.result(bar.peer)
		if found == nil {
			return fmt.Errorf("%s has no results of %s", patches.Name, bar.peer)
		}
		named := *found
		named.Peer = bar.name
		chart.Cases[0].Results = append(chart.Cases[0].Results, named)
	}
	colors := slices.Repeat([]color.Color{others[0]}, len(chart.Cases[0].Results))
	colors[0] = blues[3]
	p := newPlot("")
	if err := chart.bars(p, colors); err != nil {
		return err
	}
	return savePlot(p, 18*vg.Centimeter, 6*vg.Centimeter, path)
}
