package decode

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestPutWithoutEnvironments checks that a put without environments is an empty set if it deletes nothing, and
// malformed if it would delete something.
func TestPutWithoutEnvironments(t *testing.T) {
	for _, test := range []struct {
		members   string
		malformed [4]bool // if the receiver holds nothing, an environment, a filter, and if Held is nil
	}{
		{``, [4]bool{false, true, true, true}},
		{`,"data":null`, [4]bool{false, true, true, true}},
		{`,"data":{}`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":null,"filters":null}`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":null,"filters":{}}`, [4]bool{false, true, false, true}},
		{`,"data":{"filters":{"f":{"version":1}}}`, [4]bool{false, true, false, true}},
		{`,"data":{"filters":[]}`, [4]bool{false, true, false, true}}, // filters stay if they cannot be read
		{`,"data":{"environments":{}},"data":null`, [4]bool{false, true, true, true}},
		{`,"data":{"environments":{}}`, [4]bool{}},
	} {
		for i, held := range []func() (environments, filters int){
			func() (environments, filters int) { return 0, 0 },
			func() (environments, filters int) { return 1, 0 },
			func() (environments, filters int) { return 0, 1 },
			nil,
		} {
			m, err := newDecoder(&Options{Held: held}).decode(PutEvent, []byte(`{"path":"/"`+test.members+`}`))
			if errors.Is(err, errNoContent) != test.malformed[i] || err == nil && (m.Kind != Put || m.Put.Environments == nil) {
				t.Errorf("%s, %d: %v, %v", test.members, i, m, err)
			}
		}
	}
}

// TestNullRemovesEnvironments lists environments of all sorts before a null, of which nothing remains: not even for
// MaxListed.
func TestNullRemovesEnvironments(t *testing.T) {
	known := receiver{"a": {EnvID: "a", Version: 5}, "b": {EnvID: "b", Version: 5}, "c": {EnvID: "c", Version: 5}}
	const before = `"a":{"envID":"a","version":5},"b":{"envID":"b","version":4},"c":{"envID":"wrong"},"new":{"envID":"new","version":1}`
	const after = `"c":{"envID":"c","version":5},"b":{"envID":"b","version":3},"a":{"envID":"a","version":6}`
	m, err := newDecoder(&Options{Known: known.find, MaxListed: 4}).decode(PutEvent,
		[]byte(`{"path":"/","data":{"environments":{`+before+`},"environments":null,"environments":{`+after+`}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range m.Put.all() {
		got = append(got, fmt.Sprint(e.ID, e.Version, e.Rep != nil, e.Err))
	}
	if want := []string{"b3 false <nil>", "a6 true <nil>", "c5 true <nil>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestUnchangedAndChanged lists each of a few environments several times. The last one counts: it is in Unchanged if it
// has the known version, and otherwise the last in Environments; none is in both.
func TestUnchangedAndChanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known := receiver{}
		for _, id := range []EnvironmentID{"a", "b", "c"} {
			known[id] = &EnvironmentRep{EnvID: id, Version: 5}
		}
		var list []string
		want := map[EnvironmentID]int{}
		for range rapid.IntRange(0, 8).Draw(t, "entries") {
			id := rapid.SampledFrom([]EnvironmentID{"a", "b", "c", "new"}).Draw(t, "id")
			want[id] = rapid.IntRange(3, 7).Draw(t, "version")
			envID := id
			if want[id] == 3 { // version 3 stands for an entry that can't be used
				envID = "wrong"
			}
			list = append(list, fmt.Sprintf(`"%s":{"envID":"%s","version":%d}`, id, envID, want[id]))
		}
		m, err := newDecoder(&Options{Known: known.find}).decode(PutEvent, []byte(`{"path":"/","data":{"environments":{`+strings.Join(list, ",")+`}}}`))
		if err != nil {
			t.Fatal(err)
		}
		got := map[EnvironmentID]int{}
		for _, e := range m.Put.Environments {
			got[e.ID] = e.Version
		}
		for rep := range m.Put.Unchanged.All {
			if rep != known[rep.EnvID] {
				t.Fatalf("%s is not as it is known", rep.EnvID)
			}
			got[rep.EnvID] = rep.Version
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v, of %s", got, want, list)
		}
		for _, e := range m.Put.Environments {
			if known[e.ID] != nil && want[e.ID] == 5 {
				t.Fatalf("%s is in both lists", e.ID)
			}
		}
	})
}
