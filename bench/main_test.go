package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/relaystream/autoconfig/bench/peers"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == natsSideCommand {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// Every scenario runs, with a small size, and writes its results.
func TestEveryScenario(t *testing.T) {
	dir := t.TempDir()
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"-size", "200", "-rounds", "1", "-out", dir}, &stdout, &stdout); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Peers) != len(peers.Modules()) {
		t.Errorf("the peers' modules are %v", got.Peers)
	}
	if len(got.Scenarios) != len(scenarios()) {
		t.Errorf("%d scenarios have results, want %d", len(got.Scenarios), len(scenarios()))
	}
	for _, s := range got.Scenarios {
		hasCharts(t, dir, s.Name)
		for _, c := range s.Cases {
			if baseline(scenario{baseline: s.Baseline}, c) <= 0 {
				t.Errorf("%s was not measured for the baseline, %s", s.Name, s.Baseline)
			}
			for _, r := range c.Results {
				if r.About == "" {
					t.Errorf("%s, %s: nothing says what it is", s.Name, r.Peer)
				}
				if len(r.Metrics) != len(s.Metrics) {
					t.Errorf("%s, %s: %d metrics, want %d", s.Name, r.Peer, len(r.Metrics), len(s.Metrics))
				}
			}
		}
	}
	readme(t, dir)
}

// readme makes the README's figures and chart from the results.
func readme(t *testing.T, dir string) {
	t.Helper()
	var stdout bytes.Buffer
	for _, extension := range []string{".svg", ".png"} {
		stdout.Reset()
		args := []string{"readme", "-from", filepath.Join(dir, "results.json"), "-chart", filepath.Join(dir, "readme"+extension)}
		if err := run(t.Context(), args, &stdout, &stdout); err != nil {
			t.Fatal(err)
		}
	}
	hasCharts(t, dir, "readme")
	// Small runs have no case with 100,000 environments.
	if rows := bytes.Count(stdout.Bytes(), []byte("\n| ")); rows != 20 {
		t.Errorf("the table has %d lines, want 20:\n%s", rows, &stdout)
	}
}

func hasCharts(t *testing.T, dir, name string) {
	t.Helper()
	for _, extension := range []string{".svg", ".png"} {
		if info, err := os.Stat(filepath.Join(dir, name+extension)); err != nil || info.Size() == 0 {
			t.Errorf("%s has no chart: %v", name, err)
		}
	}
}

func TestSoakReport(t *testing.T) {
	dir := t.TempDir()
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"soak", "-for", "400ms", "-round", "200ms", "-environments", "20", "-out", dir}, &stdout, &stdout); err != nil {
		t.Fatal(err)
	}
	hasCharts(t, dir, "soak")
	var got soakReport
	text, err := os.ReadFile(filepath.Join(dir, "soak.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil || len(got.Samples) == 0 || len(got.Trends) == 0 {
		t.Errorf("%d samples, %d trends, %v", len(got.Samples), len(got.Trends), err)
	}
	got.Trends[0].Allowance, got.Trends[0].Growth = 1, 2
	if err := failedTrends(got.Result); !errors.Is(err, errTrend) {
		t.Errorf("a trend is reported as %v", err)
	}
}

func TestFleet(t *testing.T) {
	dir := t.TempDir()
	var stdout bytes.Buffer
	if err := run(t.Context(), []string{"fleet", "-clients", "20", "-together", "7", "-out", dir}, &stdout, &stdout); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "fleet.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got fleet
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Clients != 20 || got.Synced <= 0 || got.Told <= 0 || got.Settled.Goroutines < got.Bare.Goroutines+20 {
		t.Errorf("%+v", got)
	}
}

func TestFleetNATS(t *testing.T) {
	dir := t.TempDir()
	var stdout bytes.Buffer
	args := []string{"fleet-nats", "-members", "1,12", "-load-members", "1", "-environments", "20", "-load", "30", "-patches", "500", "-together", "7", "-idle", "10ms", "-out", dir}
	if err := run(t.Context(), args, &stdout, &stdout); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "fleet-nats.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got natsFleet
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Cases) != 2 || got.Cases[0].Loaded <= 0 || got.Cases[1].Loaded != 0 {
		t.Fatalf("%+v", got)
	}
	for _, c := range got.Cases {
		if c.Synced <= 0 || c.Told50 <= 0 || c.Told99 < c.Told50 || c.Rate <= 0 || c.Read <= 0 || c.PutServer <= 0 || c.Settled.Goroutines < c.Bare.Goroutines+c.Members {
			t.Errorf("%+v", c)
		}
	}
}
