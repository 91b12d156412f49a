package diff

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/relaystream/autoconfig/decode"
)

// A Snapshot is a configuration at one moment. What it points to is shared and must not be modified.
type Snapshot struct {
	// Environments and Filters are in the order in which they were added.
	Environments []*decode.EnvironmentRep
	Filters      []*Filter
	// Synced reports that the configuration was complete, and Cached that it was a saved one.
	Synced, Cached bool
}

// SnapshotOf returns the configuration that the changes of State.Snapshot make.
func SnapshotOf(changes []Change) Snapshot {
	var s Snapshot
	for _, c := range changes {
		switch c.Kind {
		case EnvironmentAdded:
			s.Environments = append(s.Environments, c.New)
		case FilterAdded:
			s.Filters = append(s.Filters, c.NewFilter)
		case Synced:
			s.Synced, s.Cached = true, c.Cached
		}
	}
	return s
}

// String returns the numbers of environments and filters.
func (s Snapshot) String() string {
	text := fmt.Sprintf("%d environments, %d filters", len(s.Environments), len(s.Filters))
	switch {
	case s.Cached:
		return text + ", cached"
	case s.Synced:
		return text + ", synced"
	}
	return text
}

// Format implements fmt.Formatter with String for every verb, because a snapshot holds keys.
func (s Snapshot) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer with String.
func (s Snapshot) LogValue() slog.Value { return slog.StringValue(s.String()) }
