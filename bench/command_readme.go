package main

import (
	"bytes"
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

// runReadme is the command readme: it makes the chart and the figures of the project's README from the
// results of a run. It measures nothing.
func runReadme(_ context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("bench readme", flag.ContinueOnError)
	flags.SetOutput(stderr)
	from := flags.String("from", "", "results.json of a run")
	readme := flags.String("readme", "", "document whose lines between the markers are replaced (default: print them)")
	chart := flags.String("chart", filepath.Join("bench", "patches.svg"), "file for the chart, if there are results of patches; its extension is the format")
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
	var lines bytes.Buffer
	if err := r.writeFigures(&lines); err != nil {
		return err
	}
	if r.scenario("patches") != nil {
		if err := r.readmeChart(*chart); err != nil {
			return err
		}
	}
	if *readme == "" {
		_, err := stdout.Write(lines.Bytes())
		return err
	}
	document, err := os.ReadFile(*readme)
	if err != nil {
		return err
	}
	document, err = withFigures(document, lines.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", *readme, err)
	}
	return os.WriteFile(*readme, document, 0o644)
}

// The command writes the lines between these markers in a document.
var (
	beginFigures = []byte("<!-- figures -->\n")
	endFigures   = []byte("<!-- /figures -->\n")
)

// errMarkers reports a document without exactly one place for the figures.
var errMarkers = errors.New("there must be one line <!-- figures --> and one line <!-- /figures --> after it")

// withFigures returns the document with other lines between its markers.
func withFigures(document, lines []byte) ([]byte, error) {
	before, rest, _ := bytes.Cut(document, beginFigures)
	_, after, ended := bytes.Cut(rest, endFigures)
	if !ended || bytes.Count(document, beginFigures) != 1 || bytes.Count(document, endFigures) != 1 {
		return nil, errMarkers
	}
	return slices.Concat(before, beginFigures, lines, endFigures, after), nil
}

// writeFigures writes date and machine, the table in Markdown, and the command.
func (r *report) writeFigures(w io.Writer) error {
	fmt.Fprintf(w, "Medians of %d rounds, on %s, %s. The range is that of this library's rounds.\n\n",
		r.Arguments.Rounds, r.Machine, r.Time.Format("2 January 2006"))
	fmt.Fprint(w, "| | classic, or as named | this library | range | ratio |\n| --- | --- | --- | --- | --- |\n")
	for _, f := range r.figures() {
		if err := f.write(w, r.scenario(f.scenario)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n    %s\n", r.command())
	return err
}

// readmeChart writes a chart of the time for a patch, for the complete alternatives.
func (r *report) readmeChart(path string) error {
	patches := r.scenario("patches")
	chart := scenarioResult{Metrics: []string{"nanoseconds for a patch, end to end: less is better"}, Cases: []caseResult{{}}}
	for _, bar := range []struct{ peer, name string }{
		{dropIn, thisLibrary},
		{"gosse", "go-sse and JSON v2"},
		{"classic", "eventsource and encoding/json"},
		{"ro", "the same through samber/ro"},
		{"rxgo", "the same through RxGo v2"},
	} {
		found := patches.Cases[0].of(bar.peer)
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
