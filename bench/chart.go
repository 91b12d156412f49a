package main

import (
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// The stages of this library are blue, from light to dark; other peers have other colors.
var (
	blues  = []color.RGBA{{0xc6, 0xdf, 0xf2, 255}, {0x9e, 0xc9, 0xe9, 255}, {0x5b, 0xa3, 0xd9, 255}, {0x21, 0x78, 0xbf, 255}, {0x0b, 0x4f, 0x94, 255}, {0x07, 0x2f, 0x5f, 255}}
	others = []color.RGBA{{0x9a, 0x9a, 0x9a, 255}, {0xd9, 0x8c, 0x00, 255}, {0xc9, 0x30, 0x2c, 255}, {0x3f, 0x8f, 0x3f, 255}, {0x8e, 0x5b, 0xa6, 255}, {0x7a, 0x4a, 0x2b, 255}}
)

// colors returns a color for each result.
func colors(results []result) []color.Color {
	all := make([]color.Color, len(results))
	own := 0
	for _, r := range results {
		if ours(r.Peer) {
			own++
		}
	}
	next := map[bool]int{true: max(0, (len(blues)-own+1)/2)} // a few are neither very light nor very dark
	for i, r := range results {
		palette := others
		if ours(r.Peer) {
			palette = blues
		}
		all[i] = palette[next[ours(r.Peer)]%len(palette)]
		next[ours(r.Peer)]++
	}
	return all
}

// newPlot returns an empty plot with text that is legible on a screen.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = vg.Points(8), vg.Points(4), vg.Points(4)
	for _, style := range []*text.Style{
		&p.Title.TextStyle, &p.Legend.TextStyle,
		&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label,
	} {
		style.Font.Variant = "Sans"
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(ticks), plot.TickerFunc(ticks)
	return p
}

// draw writes the chart of the scenario as path.svg and path.png.
func (s scenarioResult) draw(path string) error {
	p := newPlot(s.About)
	width, height := 20*vg.Centimeter, 12*vg.Centimeter
	var err error
	switch {
	case s.Axis != "":
		err = s.lines(p)
	case s.Cases[0].Results[0].Percentiles != nil:
		err = s.distribution(p)
	default:
		err = s.bars(p, colors(s.Cases[0].Results))
		height = vg.Length(3+len(s.Cases[0].Results)) * vg.Centimeter
	}
	if err != nil {
		return err
	}
	return saveBoth(p, width, height, path)
}

// bars draws the first metric: a bar for the median, a whisker from minimum to maximum.
func (s scenarioResult) bars(p *plot.Plot, color []color.Color) error {
	results := slices.Clone(s.Cases[0].Results)
	slices.Reverse(results) // the vertical axis points up
	slices.Reverse(color)
	p.X.Label.Text = s.Metrics[0]
	p.X.Min = 0
	var names, values []string
	var whiskers whiskers
	for i, r := range results {
		median := r.Metrics[0]
		bar, err := plotter.NewBarChart(plotter.Values{median.Median}, vg.Points(14))
		if err != nil {
			return err
		}
		bar.Horizontal, bar.XMin, bar.LineStyle.Width = true, float64(i), 0
		bar.Color = color[i]
		p.Add(bar)
		whiskers = append(whiskers, whisker{y: float64(i), spread: median})
		names = append(names, r.Peer)
		values = append(values, "  "+short(median.Median))
	}
	errorBars, err := plotter.NewXErrorBars(whiskers)
	if err != nil {
		return err
	}
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: whiskers.ends(), Labels: values})
	if err != nil {
		return err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].YAlign = -0.4
		labels.TextStyle[i].Font.Variant = "Sans"
	}
	p.Add(errorBars, labels)
	p.NominalY(names...)
	p.X.Max *= 1.15                                    // room for labels
	p.Y.Min, p.Y.Max = -0.6, float64(len(results))-0.4 // and for bars
	return nil
}

// lines draws the first metric of every case. Both axes are logarithmic.
func (s scenarioResult) lines(p *plot.Plot) error {
	p.X.Label.Text, p.Y.Label.Text = s.Axis, s.Metrics[0]
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(logTicks), plot.TickerFunc(logTicks)
	p.Legend.Top, p.Legend.Left = true, true
	return s.addLines(p, func(peer int) plotter.XYs {
		points := make(plotter.XYs, len(s.Cases))
		for i, c := range s.Cases {
			// Zero has no logarithm; a median of zero is below the resolution of the clock.
			points[i] = plotter.XY{X: float64(c.X), Y: max(0.1, c.Results[peer].Metrics[0].Median)}
		}
		return points
	})
}

// distribution draws the percentiles of the latencies.
func (s scenarioResult) distribution(p *plot.Plot) error {
	p.X.Label.Text, p.Y.Label.Text = "microseconds", "percentile"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
	return s.addLines(p, func(peer int) plotter.XYs {
		percentiles := s.Cases[0].Results[peer].Percentiles
		points := make(plotter.XYs, len(percentiles)-1)
		for i := range points { // without the maximum, which would flatten the curve
			points[i] = plotter.XY{X: max(0.1, percentiles[i]/1e3), Y: float64(i)}
		}
		return points
	})
}

func (s scenarioResult) addLines(p *plot.Plot, points func(peer int) plotter.XYs) error {
	p.Add(plotter.NewGrid())
	color := colors(s.Cases[0].Results)
	for i, r := range s.Cases[0].Results {
		line, err := plotter.NewLine(points(i))
		if err != nil {
			return err
		}
		line.Color = color[i]
		line.Width = vg.Points(1)
		if ours(r.Peer) {
			line.Width = vg.Points(2.5)
		}
		p.Add(line)
		p.Legend.Add(r.Peer, line)
	}
	return nil
}

// thisLibrary is the name of this library in a chart for readers who don't know its parts.
const thisLibrary = "this library"

func ours(peer string) bool { return strings.HasPrefix(peer, "ours") || peer == thisLibrary }

// whiskers are the spreads of bars, for the plotter.
type whiskers []whisker

type whisker struct {
	y float64
	spread
}

func (w whiskers) Len() int { return len(w) }

func (w whiskers) XY(i int) (x, y float64) { return w[i].Median, w[i].y }

func (w whiskers) XError(i int) (low, high float64) {
	return w[i].Median - w[i].Min, w[i].Max - w[i].Median
}

// ends returns the right ends of the whiskers.
func (w whiskers) ends() plotter.XYs {
	ends := make(plotter.XYs, len(w))
	for i := range w {
		ends[i] = plotter.XY{X: w[i].Max, Y: w[i].y}
	}
	return ends
}
