package parts

import (
	"context"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// A Table applies decoded patches to a state that is initially empty.
type Table struct {
	Name  string
	About string
	// Run returns the number of changes.
	Run func(patches []decode.Message) int
}

// Tables returns all implementations, the usual one first.
func Tables() []Table {
	return []Table{
		{"map", "a Go map and a comparison of versions", plainMap},
		{"ours", "diff.State, which also schedules the expiry of keys", state},
	}
}

func plainMap(patches []decode.Message) int {
	changes := 0
	known := map[decode.EnvironmentID]*decode.EnvironmentRep{}
	for i := range patches {
		e := &patches[i].Environment
		if old := known[e.ID]; old == nil || e.Version > old.Version {
			known[e.ID] = e.Rep
			changes++
		}
	}
	return changes
}

func state(patches []decode.Message) int {
	changes := 0
	s := diff.NewState(nil)
	for i := range patches {
		_ = s.Apply(context.Background(), &patches[i], func(diff.Change) { changes++ })
	}
	return changes
}
