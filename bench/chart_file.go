package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// saveBoth writes a chart as path.svg and path.png.
func saveBoth(p *plot.Plot, width, height vg.Length, path string) error {
	return errors.Join(savePlot(p, width, height, path+".svg"), savePlot(p, width, height, path+".png"))
}

// savePlot writes a chart with a margin. The extension of path is the format.
func savePlot(p *plot.Plot, width, height vg.Length, path string) error {
	return saveCanvas(width, height, path, func(c draw.Canvas) {
		const margin = 8
		p.Draw(draw.Crop(c, margin, -margin, margin, -margin))
	})
}

func saveCanvas(width, height vg.Length, path string, paint func(draw.Canvas)) error {
	canvas, err := draw.NewFormattedCanvas(width, height, strings.TrimPrefix(filepath.Ext(path), "."))
	if err != nil {
		return err
	}
	paint(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return err
	}
	// A reader of the SVG may not have this font. Arial has the same widths.
	text := bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif"))
	return os.WriteFile(path, text, 0o644)
}
