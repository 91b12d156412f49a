package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A figure is a row of the README's table: the results of two peers in a case.
type figure struct {
	what     string
	scenario string
	choose   func(*scenarioResult) *caseResult // nil: the only case
	metric   string
	unit     string
	theirs   string
	ours     string
	// allocations says whether the row has those, too.
	allocations bool
}

const (
	dropIn = "ours: StreamManager"
	// caseNumber stands for the number of the case in the text of a figure.
	caseNumber = "{x}"
)

// figures returns the rows, without those of scenarios and cases that r does not have.
func (r *report) figures() []figure {
	patch := func(what, scenario, theirs string) figure {
		return figure{what: what, scenario: scenario, metric: perPatch[0], unit: "ns", theirs: theirs, ours: dropIn, allocations: true}
	}
	among := patch("a patch among 100,000 environments", "growth", "classic")
	among.choose = func(s *scenarioResult) *caseResult { return s.at(100_000) }
	all := []figure{
		patch("a patch among 1,000 environments, end to end over loopback into a `MessageHandler`", "patches", "classic"),
		patch("the same, against classic through RxGo v2", "patches", "rxgo"),
		patch("the same, against classic through samber/ro", "patches", "ro"),
		patch("a message of a mixture with key sets, deletes, old patches and unusual JSON", "mixture", "classic"),
		patch("a patch of an environment that lists its keys", "patches-keysets", "classic"),
		among,
		patch("a patch that is older than what is known", "stale", "classic"),
		{what: "from the server's write to the handler's call, median", scenario: "latency", metric: "p50 ns", unit: "ns", theirs: "classic", ours: dropIn},
		{what: "an environment of a repeated put", scenario: "put-unchanged", metric: perEnvironment[0], unit: "ns", theirs: "classic", ours: dropIn},
		{what: "an environment of a first put", scenario: "put-first", metric: perEnvironment[0], unit: "ns", theirs: "classic", ours: dropIn},
		{what: "memory for an environment of a first put, at the peak", scenario: "put-first", metric: "peak B/environment", unit: "B", theirs: "classic", ours: dropIn},
		{what: "the same of a repeated put", scenario: "put-unchanged", metric: "peak B/environment", unit: "B", theirs: "classic", ours: dropIn},
		{what: "an event separated, from memory, against `eventsource`", scenario: "framing", metric: "ns/event", unit: "ns", theirs: "eventsource", ours: "ours"},
		{what: "a patch decoded, from memory, the previous version being known, against `encoding/json`", scenario: "decode", metric: perPatch[0], unit: "ns", theirs: "encoding/json", ours: "ours"},
		{what: "the same, nothing being known", scenario: "decode", metric: perPatch[0], unit: "ns", theirs: "encoding/json", ours: "ours, nothing known"},
		{what: "an item through five operators, against RxGo v2 with channels of 256, its fastest", scenario: "operators", metric: "ns/item", unit: "ns", theirs: "rxgo-256", ours: "ours"},
		{what: "the same, against RxGo v2 without buffers, as its documentation shows it", scenario: "operators", metric: "ns/item", unit: "ns", theirs: "rxgo", ours: "ours"},
		{what: "memory of an environment among " + caseNumber, scenario: "growth", choose: (*scenarioResult).largest, metric: "heap B/environment", unit: "B", theirs: "classic", ours: dropIn},
		{what: "memory of an idle client that knows 1,000 environments", scenario: "idle", metric: "B/client", unit: "B", theirs: "classic", ours: dropIn},
	}
	return slices.DeleteFunc(all, func(f figure) bool {
		s := r.scenario(f.scenario)
		return s == nil || f.of(s) == nil
	})
}

// of returns the case of the scenario that the figure shows, nil if there is none.
func (f figure) of(s *scenarioResult) *caseResult {
	if f.choose != nil {
		return f.choose(s)
	}
	return &s.Cases[0]
}

// write writes the row of a table in Markdown.
func (f figure) write(w io.Writer, s *scenarioResult) error {
	c := f.of(s)
	m := slices.Index(s.Metrics, f.metric)
	theirs, ours := c.of(f.theirs), c.of(f.ours)
	if m < 0 || theirs == nil || ours == nil {
		return fmt.Errorf("%s has no %s of %s and %s", s.Name, f.metric, f.theirs, f.ours)
	}
	cell := func(r *result) string {
		text := short(r.Metrics[m].Median) + " " + f.unit
		if f.allocations {
			text += ", " + short(r.Metrics[1].Median) + " allocations"
		}
		return text
	}
	what := strings.Replace(f.what, caseNumber, number(float64(c.X)), 1)
	spread, ratio := ours.Metrics[m], ""
	if spread.Median > 0 {
		ratio = short(theirs.Metrics[m].Median / spread.Median)
	}
	_, err := fmt.Fprintf(w, "| %s | %s | %s | %s..%s | %s |\n",
		what, cell(theirs), cell(ours), short(spread.Min), short(spread.Max), ratio)
	return err
}

// scenario returns the results of a scenario, nil if there are none.
func (r *report) scenario(name string) *scenarioResult {
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; s.Name == name && len(s.Cases) > 0 {
			return s
		}
	}
	return nil
}

// at returns the case x, nil if there is none.
func (s *scenarioResult) at(x int) *caseResult {
	for i := range s.Cases {
		if s.Cases[i].X == x {
			return &s.Cases[i]
		}
	}
	return nil
}

// largest returns the last case.
func (s *scenarioResult) largest() *caseResult { return &s.Cases[len(s.Cases)-1] }

// of returns the result of a peer in the case, nil if it took no part.
func (c *caseResult) of(peer string) *result {
	for i := range c.Results {
		if c.Results[i].Peer == peer {
			return &c.Results[i]
		}
	}
	return nil
}
