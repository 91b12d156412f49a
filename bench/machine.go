package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/relaystream/autoconfig/bench/peers"
)

// A machine describes where the program runs.
type machine struct {
	// CPU is the model name of the processor, "" if it is unknown.
	CPU  string `json:"cpu,omitempty"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
	Go   string `json:"go"`
	// Procs is GOMAXPROCS.
	Procs int `json:"procs"`
	// Cores is the number of logical processors.
	Cores int    `json:"cores"`
	GOGC  string `json:"gogc"`
}

func thisMachine() machine {
	m := machine{
		CPU: cpuModel(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(),
		Procs: runtime.GOMAXPROCS(0), Cores: runtime.NumCPU(), GOGC: os.Getenv("GOGC"),
	}
	if m.GOGC == "" {
		m.GOGC = defaultGOGC
	}
	return m
}

const defaultGOGC = "100"

func (m machine) String() string {
	model := m.CPU
	if model != "" {
		model += ", "
	}
	return fmt.Sprintf("%s%s %s/%s, GOMAXPROCS %d of %d, GOGC %s", model, m.Go, m.OS, m.Arch, m.Procs, m.Cores, m.GOGC)
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	return modelIn(string(text))
}

// modelIn returns the first model name in the text of /proc/cpuinfo.
func modelIn(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// peerVersions returns the modules of the peers, as "path version".
func peerVersions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var versions []string
	for _, module := range info.Deps {
		if slices.Contains(peers.Modules(), module.Path) {
			versions = append(versions, module.Path+" "+module.Version)
		}
	}
	return versions
}
