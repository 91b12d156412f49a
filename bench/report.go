package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A report has the results of a run.
type report struct {
	Time    time.Time `json:"time"`
	Machine machine   `json:"machine"`
	// Peers are the modules of the peers, as "path version".
	Peers     []string         `json:"peers"`
	Arguments arguments        `json:"arguments"`
	Scenarios []scenarioResult `json:"scenarios"`
}

// arguments are the arguments of the command line, without the directory for the results.
type arguments struct {
	Scenario string `json:"scenario"`
	Size     int    `json:"size"`
	Flush    int    `json:"flush"`
	Rounds   int    `json:"rounds"`
	CPU      int    `json:"cpu"`
}

const (
	defaultScenario = "*"
	// defaultFlush patches fit into one TLS record: no read from the real service returns more. Larger
	// chunks would favour peers that read much at once; smaller ones would measure the server.
	defaultFlush = 32
)

type scenarioResult struct {
	Name     string       `json:"name"`
	About    string       `json:"about"`
	Metrics  []string     `json:"metrics"`
	Baseline string       `json:"baseline"`
	Axis     string       `json:"axis,omitempty"`
	Cases    []caseResult `json:"cases"`
}

func newReport(p plan) *report {
	return &report{Time: time.Now().UTC(), Machine: thisMachine(), Peers: peerVersions(), Arguments: p.arguments}
}

// add adds a scenario and writes the results so far to dir, with a chart of the scenario.
func (r *report) add(s scenarioResult, dir string) error {
	r.Scenarios = append(r.Scenarios, s)
	if err := writeJSON(dir, "results.json", r); err != nil {
		return err
	}
	return s.draw(filepath.Join(dir, s.Name))
}

// command returns the shell command for the same run.
func (r *report) command() string {
	var words []string
	if r.Machine.GOGC != defaultGOGC {
		words = append(words, "GOGC="+quoted(r.Machine.GOGC))
	}
	words = append(words, "go run ./bench")
	a := r.Arguments
	if a.Scenario != defaultScenario {
		words = append(words, "-scenario "+quoted(a.Scenario))
	}
	words = append(words, fmt.Sprintf("-size %d -rounds %d", a.Size, a.Rounds))
	if a.Flush != defaultFlush {
		words = append(words, fmt.Sprintf("-flush %d", a.Flush))
	}
	if a.CPU != 0 {
		words = append(words, fmt.Sprintf("-cpu %d", a.CPU))
	}
	return strings.Join(words, " ")
}

// plainWord matches words that need no quotes in a shell.
var plainWord = regexp.MustCompile(`^[\w,.%-]+$`)

func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
