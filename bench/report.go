package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// A report is what is left of a run.
type report struct {
	Time      time.Time        `json:"time"`
	Machine   string           `json:"machine"`
	Size      int              `json:"size"`
	Flush     int              `json:"flush"`
	Rounds    int              `json:"rounds"`
	Scenarios []scenarioResult `json:"scenarios"`
}

type scenarioResult struct {
	Name     string       `json:"name"`
	About    string       `json:"about"`
	Metrics  []string     `json:"metrics"`
	Baseline string       `json:"baseline"`
	Axis     string       `json:"axis,omitempty"`
	Cases    []caseResult `json:"cases"`
}

func newReport(p plan) *report {
	return &report{Time: time.Now().UTC(), Machine: machine(), Size: p.load.size, Flush: p.load.flush, Rounds: p.rounds}
}

// machine describes what the program runs on.
func machine() string {
	gc := os.Getenv("GOGC")
	if gc == "" {
		gc = "100"
	}
	return fmt.Sprintf("%s %s/%s, GOMAXPROCS %d of %d, GOGC %s",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.NumCPU(), gc)
}

// write leaves the numbers and a chart of each scenario in dir.
func (r *report) write(dir string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	var failed []error
	for _, s := range r.Scenarios {
		failed = append(failed, s.draw(filepath.Join(dir, s.Name)))
	}
	return errors.Join(failed...)
}
