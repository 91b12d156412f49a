package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

// printTable writes the results of a case: for each peer the median and the spread of the first metric,
// the medians of the others, and the ratio of the baseline's first metric to the peer's. Descriptions of
// the peers follow.
func printTable(w io.Writer, s scenario, c caseResult) error {
	fmt.Fprintf(w, "\n%s: %s\n", describe(s, c.X), s.about)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "\t%s\tmin..max\t", s.metrics[0])
	for _, m := range s.metrics[1:] {
		fmt.Fprintf(table, "%s\t", m)
	}
	fmt.Fprintf(table, "vs %s\t\n", s.baseline)
	base := baseline(s, c)
	for _, r := range c.Results {
		first := r.Metrics[0]
		fmt.Fprintf(table, "%s\t%s\t%s..%s\t", r.Peer, short(first.Median), short(first.Min), short(first.Max))
		for _, m := range r.Metrics[1:] {
			fmt.Fprintf(table, "%s\t", short(m.Median))
		}
		if first.Median > 0 && base > 0 {
			fmt.Fprintf(table, "×%s", short(base/first.Median))
		}
		fmt.Fprint(table, "\t\n")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range c.Results {
		fmt.Fprintf(w, "  %s: %s\n", r.Peer, r.About)
	}
	return nil
}

// baseline returns the baseline's median of the first metric, 0 if it took no part.
func baseline(s scenario, c caseResult) float64 {
	for _, r := range c.Results {
		if r.Peer == s.baseline {
			return r.Metrics[0].Median
		}
	}
	return 0
}

// short formats a number with three significant digits.
func short(x float64) string {
	switch {
	case x <= -0.005:
		return "-" + short(-x)
	case x >= 100:
		return number(math.Round(x))
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case x >= 0.005:
		return strconv.FormatFloat(x, 'f', 2, 64)
	default:
		return "0"
	}
}
