package main

import (
	"fmt"
	"io"
	"os"
)

// A progress is a line that says what is being done. It appears only on a terminal.
type progress struct {
	w io.Writer
}

func newProgress(w io.Writer) progress {
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return progress{w}
		}
	}
	return progress{io.Discard}
}

const eraseLine = "\r\x1b[K"

func (p progress) say(text string) { fmt.Fprint(p.w, eraseLine+text) }

func (p progress) clear() { fmt.Fprint(p.w, eraseLine) }
