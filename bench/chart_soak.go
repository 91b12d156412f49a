package main

import (
	"errors"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/relaystream/autoconfig/bench/soak"
)

// drawSoak writes four charts over the time of the run as path.svg and path.png.
func drawSoak(result soak.Result, path string) error {
	panels := [][]*plot.Plot{make([]*plot.Plot, 2), make([]*plot.Plot, 2)}
	for i, p := range []struct {
		title string
		value func(soak.Sample) float64
	}{
		{"heap at rest, MiB", func(s soak.Sample) float64 { return float64(s.Rest.Heap) / (1 << 20) }},
		{"goroutines at rest", func(s soak.Sample) float64 { return float64(s.Rest.Goroutines) }},
		{"file descriptors at rest", func(s soak.Sample) float64 { return float64(s.Rest.Descriptors) }},
		{"largest lag under load, changes", func(s soak.Sample) float64 { return float64(s.Lag) }},
	} {
		panel, err := soakPanel(p.title, result.Samples, p.value)
		if err != nil {
			return err
		}
		panels[i/2][i%2] = panel
	}
	return errors.Join(drawTiles(panels, path+".svg"), drawTiles(panels, path+".png"))
}

func soakPanel(title string, samples []soak.Sample, value func(soak.Sample) float64) (*plot.Plot, error) {
	p := newPlot(title)
	p.X.Label.Text = "minutes"
	p.X.Min, p.Y.Min = 0, 0
	points := make(plotter.XYs, len(samples))
	for i, s := range samples {
		points[i] = plotter.XY{X: s.At.Minutes(), Y: value(s)}
		p.Y.Max = max(p.Y.Max, 1.2*points[i].Y)
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = blues[3], vg.Points(1)
	p.Add(plotter.NewGrid(), line)
	return p, nil
}

func drawTiles(panels [][]*plot.Plot, path string) error {
	const gap = 10
	tiles := draw.Tiles{Rows: len(panels), Cols: len(panels[0]),
		PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap, PadX: 2 * gap, PadY: 2 * gap}
	return saveCanvas(24*vg.Centimeter, 16*vg.Centimeter, path, func(canvas draw.Canvas) {
		for i, row := range plot.Align(panels, tiles, canvas) {
			for j, c := range row {
				panels[i][j].Draw(c)
			}
		}
	})
}
