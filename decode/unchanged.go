package decode

import (
	"fmt"
	"io"
	"log/slog"
)

// Unchanged lists environments that a put repeats as they are known, in the order of the wire. A put after the first
// one repeats nearly everything, so that this list needs little memory: a pointer for each environment. It is in
// chunks of any length.
//
// It is masked like Listing.
type Unchanged [][]*EnvironmentRep

// Len returns the number of environments.
func (u Unchanged) Len() (n int) {
	for _, chunk := range u {
		n += len(chunk)
	}
	return n
}

// All yields the environments, as an iter.Seq.
func (u Unchanged) All(yield func(*EnvironmentRep) bool) {
	for _, chunk := range u {
		for _, rep := range chunk {
			if !yield(rep) {
				return
			}
		}
	}
}

// all returns the entries of all environments, those that are unchanged last.
func (l *Listing) all() []EnvironmentEntry {
	if len(l.Unchanged) == 0 {
		return l.Environments
	}
	all := append(make([]EnvironmentEntry, 0, l.Len()), l.Environments...)
	for rep := range l.Unchanged.All {
		all = append(all, EnvironmentEntry{ID: rep.EnvID, Version: rep.Version, Rep: rep})
	}
	return all
}

// String returns the number of environments.
func (u Unchanged) String() string { return fmt.Sprintf("%d environments", u.Len()) }

// Format implements fmt.Formatter. Every verb prints what String returns.
func (u Unchanged) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// LogValue implements slog.LogValuer. It returns what String returns.
func (u Unchanged) LogValue() slog.Value { return slog.StringValue(u.String()) }
