package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The command wrote the figures in the README. It changes nothing else, and can replace them again.
func TestReadmeHasFigures(t *testing.T) {
	before, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	document := filepath.Join(dir, "README.md")
	if err := os.WriteFile(document, before, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-scenario", "oper*", "-size", "10", "-rounds", "1", "-out", dir}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	write := func() []byte {
		args := []string{"readme", "-from", filepath.Join(dir, "results.json"), "-readme", document}
		if err := run(t.Context(), args, io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	once := write()
	if again := write(); !bytes.Equal(again, once) {
		t.Errorf("the second time it writes\n%s\nand the first time\n%s", again, once)
	}
	head, rest, _ := bytes.Cut(before, beginFigures)
	_, tail, _ := bytes.Cut(rest, endFigures)
	lines, hasHead := bytes.CutPrefix(once, slices.Concat(head, beginFigures))
	lines, hasTail := bytes.CutSuffix(lines, slices.Concat(endFigures, tail))
	if !hasHead || !hasTail {
		t.Errorf("something outside the markers has changed:\n%s", once)
	}
	if !bytes.Contains(lines, []byte("\n    go run ./bench -scenario 'oper*' -size 10 -rounds 1\n")) || bytes.Count(lines, []byte("\n| ")) != 4 {
		t.Errorf("the lines are\n%s", lines)
	}
}

func TestMarkers(t *testing.T) {
	const begin, end = "<!-- figures -->\n", "<!-- /figures -->\n"
	for _, c := range []struct{ why, document string }{
		{"no markers", "text\n"},
		{"no end", begin},
		{"no beginning", end},
		{"the wrong order", end + begin},
		{"two beginnings", begin + begin + end},
		{"two ends", begin + end + end},
	} {
		if _, err := withFigures([]byte(c.document), nil); !errors.Is(err, errMarkers) {
			t.Errorf("%s: the error is %v, want errMarkers", c.why, err)
		}
	}
}

// A failure does not lose what was measured before it.
func TestFailureLeavesWhatWasMeasured(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	args := []string{"-scenario", "operators,multicast", "-size", "10", "-rounds", "1", "-out", dir}
	err := run(ctx, args, writerFunc(func(text []byte) (int, error) {
		if strings.Contains(string(text), "operators: ") {
			cancel()
		}
		return len(text), nil
	}), io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want context.Canceled", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil || !bytes.Contains(text, []byte(`"name": "operators"`)) {
		t.Errorf("the results are %s, %v", text, err)
	}
	hasCharts(t, dir, "operators")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

// The printed command, typed into a shell, has the same arguments.
func TestCommand(t *testing.T) {
	for _, c := range []struct {
		why  string
		gogc string
		args arguments
		want string
	}{
		{"what is usual is not said", "100", arguments{Scenario: "*", Size: 5, Flush: 32, Rounds: 1}, "go run ./bench -size 5 -rounds 1"},
		{"a list needs no quotes", "100", arguments{Scenario: "a,put-b", Size: 5, Flush: 32, Rounds: 1}, "go run ./bench -scenario a,put-b -size 5 -rounds 1"},
		{"a pattern needs quotes", "off", arguments{Scenario: "put-*", Size: 5, Flush: 1, Rounds: 1, CPU: 2}, "GOGC=off go run ./bench -scenario 'put-*' -size 5 -rounds 1 -flush 1 -cpu 2"},
	} {
		r := report{Machine: machine{GOGC: c.gogc}, Arguments: c.args}
		if got := r.command(); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}

func TestModelIn(t *testing.T) {
	if got := modelIn("processor\t: 0\nmodel\t\t: 1\nmodel name\t: A B @ 2 GHz\n\nmodel name\t: other\n"); got != "A B @ 2 GHz" {
		t.Errorf("the model is %q", got)
	}
	if got := modelIn("processor\t: 0\nBogoMIPS\t: 50.00\n"); got != "" {
		t.Errorf("the model is %q, want none", got)
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct {
		value float64
		want  string
	}{
		{0, "0"}, {0.001, "0"}, {-0.001, "0"}, {0.25, "0.25"}, {-0.25, "-0.25"}, {12.34, "12.3"}, {1234.5, "1,235"}, {-1234.5, "-1,235"},
	} {
		if got := short(c.value); got != c.want {
			t.Errorf("%v is written %s, want %s", c.value, got, c.want)
		}
	}
}
