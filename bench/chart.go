package main

import (
	"errors"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// The library's own stages are blue, from light to dark; the others are anything but blue.
var (
	blues  = []color.RGBA{{0x9e, 0xc9, 0xe9, 255}, {0x5b, 0xa3, 0xd9, 255}, {0x21, 0x78, 0xbf, 255}, {0x0b, 0x4f, 0x94, 255}, {0x07, 0x2f, 0x5f, 255}}
	others = []color.RGBA{{0x9a, 0x9a, 0x9a, 255}, {0xd9, 0x8c, 0x00, 255}, {0xc9, 0x30, 0x2c, 255}, {0x3f, 0x8f, 0x3f, 255}, {0x8e, 0x5b, 0xa6, 255}, {0x7a, 0x4a, 0x2b, 255}}
)

// colors returns a color for each of the results.
func colors(results []result) []color.Color {
	all := make([]color.Color, len(results))
	next := map[bool]int{}
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

// draw makes the chart that suits the scenario, as path.svg and path.png.
func (s scenarioResult) draw(path string) error {
	p := plot.New()
	p.Title.Text = s.About
	p.Title.Padding = vg.Points(8)
	width, height := 20*vg.Centimeter, 12*vg.Centimeter
	var err error
	switch {
	case s.Axis != "":
		err = s.lines(p)
	case s.Cases[0].Results[0].Percentiles != nil:
		err = s.distribution(p)
	default:
		err = s.bars(p)
		height = vg.Length(3+len(s.Cases[0].Results)) * vg.Centimeter
	}
	if err != nil {
		return err
	}
	return errors.Join(p.Save(width, height, path+".svg"), p.Save(width, height, path+".png"))
}

// bars shows the first metric: a bar for the median, a whisker from minimum to maximum.
func (s scenarioResult) bars(p *plot.Plot) error {
	results := slices.Clone(s.Cases[0].Results)
	color := colors(results)
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
	}
	p.Add(errorBars, labels)
	p.NominalY(names...)
	p.Y.Label.Text = " " // or else the names are cut off
	p.X.Max *= 1.1       // room for the labels
	return nil
}

// lines shows the first metric of every case, both axes logarithmic.
func (s scenarioResult) lines(p *plot.Plot) error {
	p.X.Label.Text, p.Y.Label.Text = s.Axis, s.Metrics[0]
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(logTicks), plot.TickerFunc(logTicks)
	p.Legend.Top, p.Legend.Left = true, true
	return s.addLines(p, func(peer int) plotter.XYs {
		points := make(plotter.XYs, len(s.Cases))
		for i, c := range s.Cases {
			// A logarithm has no zero, and a median of zero is below what the clock can tell.
			points[i] = plotter.XY{X: float64(c.X), Y: max(0.1, c.Results[peer].Metrics[0].Median)}
		}
		return points
	})
}

// distribution shows the percentiles of the latencies.
func (s scenarioResult) distribution(p *plot.Plot) error {
	p.X.Label.Text, p.Y.Label.Text = "microseconds", "percentile"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
	return s.addLines(p, func(peer int) plotter.XYs {
		percentiles := s.Cases[0].Results[peer].Percentiles
		points := make(plotter.XYs, len(percentiles)-1)
		for i := range points { // without the slowest, which would flatten the rest
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

// logTicks has a label at 1, 2 and 5 times the powers of ten, or only at the powers if there are many.
func logTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	few := high/low < 1000
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high; power *= 10 {
		for n := 1.0; n < 10; n++ {
			if v := n * power; v >= low && v <= high {
				tick := plot.Tick{Value: v}
				if n == 1 || few && (n == 2 || n == 5) {
					tick.Label = strconv.FormatFloat(v, 'f', -1, 64)
				}
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

func ours(peer string) bool { return strings.HasPrefix(peer, "ours") }

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

// ends are the points where the whiskers end.
func (w whiskers) ends() plotter.XYs {
	ends := make(plotter.XYs, len(w))
	for i := range w {
		ends[i] = plotter.XY{X: w[i].Max, Y: w[i].y}
	}
	return ends
}
