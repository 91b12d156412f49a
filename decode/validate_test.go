package decode

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// bothPaths calls f with data as it is, and in a form of which the general path reads each member.
func bothPaths(data string, f func(data []byte)) {
	f([]byte(data))
	f(unusual([]byte(data)))
}

// memberName finds the first letter of the name of a member.
var memberName = regexp.MustCompile(`([{,]\s*")([a-zA-Z])([a-zA-Z]*"\s*:)`)

// unusual returns data with an escape in the name of each member.
func unusual(data []byte) []byte {
	return memberName.ReplaceAllFunc(data, func(name []byte) []byte {
		parts := memberName.FindSubmatch(name)
		return fmt.Appendf(nil, `%s\u%04x%s`, parts[1], parts[2][0], parts[3])
	})
}

// TestRefusedEnvironments decodes environments whose keys contradict each other in every possible way.
func TestRefusedEnvironments(t *testing.T) {
	for _, test := range []struct {
		name, members string
		want          error
	}{
		{"no sets", `"sdkKey":{"value":"s"},"mobKey":"m"`, nil},
		{"empty sets", `"sdkKey":{"value":"s"},"sdkKeys":[],"mobKey":"m","mobileKeys":[]`, nil},
		{"sets around the anchors", `"sdkKey":{"value":"s"},"sdkKeys":[{"value":"t"},{"value":"s"}],"mobKey":"m","mobileKeys":[{"value":"m"}]`, nil},
		{"SDK key not in its set", `"sdkKey":{"value":"s"},"sdkKeys":[{"value":"t"}],"mobKey":"m"`, ErrAnchor},
		{"mobile key not in its set", `"sdkKey":{"value":"s"},"mobKey":"m","mobileKeys":[{"value":"n"}]`, ErrAnchor},
		{"empty SDK key", `"sdkKey":{"value":"s"},"sdkKeys":[{"value":"s"},{"value":""}],"mobKey":"m"`, ErrEmptyKey},
		{"empty mobile key", `"sdkKey":{"value":"s"},"mobKey":"m","mobileKeys":[{"value":"m"},{"key":"n"}]`, ErrEmptyKey},
		{"empty SDK key as the anchor", `"sdkKeys":[{"value":""}]`, ErrEmptyKey},
	} {
		bothPaths(`{"path":"/environments/e","data":{"envID":"e",`+test.members+`,"version":1}}`, func(data []byte) {
			_, err := newDecoder(nil).decode(PatchEvent, data)
			if !errors.Is(err, test.want) || refused(err) != (test.want != nil) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		})
	}
}

// TestRefusedOnlyIfNew checks that an environment is not refused unless it is newer than the known one. Otherwise
// the same put would end every connection.
func TestRefusedOnlyIfNew(t *testing.T) {
	known := &EnvironmentRep{EnvID: "e1", Version: 5}
	for _, test := range []struct {
		version string
		refused bool
		rep     *EnvironmentRep
	}{{"4", false, nil}, {"5", false, known}, {"6", true, nil}} {
		e := strings.Replace(unanchored, `"version":1`, `"version":`+test.version, 1)
		check := func(event string, data []byte) {
			d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
			m, err := d.decode(event, data)
			entry := m.Environment
			if m.Put != nil {
				entry = m.Put.all()[0]
			}
			if refused(err) != test.refused || err != nil && !test.refused || entry.Rep != test.rep {
				t.Errorf("%s of version %s: %v, %v", event, test.version, entry, err)
			}
		}
		bothPaths(`{"path":"/environments/e1","data":`+e+`}`, func(data []byte) { check(PatchEvent, data) })
		bothPaths(`{"path":"/","data":{"environments":{"e1":`+e+`}}}`, func(data []byte) { check(PutEvent, data) })
	}
}

// TestSupersededEntriesAreNotReported lists each ID twice. Only the second entry may be reported.
func TestSupersededEntriesAreNotReported(t *testing.T) {
	for _, test := range []struct {
		environments, filters string
		bad                   int
	}{
		{`"e1":` + unanchored + `,"e1":` + relayOrder, `"f":1,"f":{"version":1}`, 0},
		{`"e1":` + relayOrder + `,"e1":` + unanchored, `"f":{"version":1},"f":1`, 1},
		{`"e1":` + unanchored + `,"e1":` + unanchored, `"f":1,"f":1`, 1},
		{`"e1":{"envID":"x"},"e1":` + relayOrder, `"f":{"version":-1},"f":{"version":1}`, 0},
	} {
		bothPaths(`{"path":"/","data":{"environments":{`+test.environments+`},"filters":{`+test.filters+`}}}`, func(data []byte) {
			m, err := newDecoder(nil).decode(PutEvent, data)
			environments, filters := 0, 0
			for _, e := range m.Put.Environments {
				if e.Err != nil {
					environments++
				}
			}
			for _, f := range m.Put.Filters {
				if f.Err != nil {
					filters++
				}
			}
			if environments != test.bad || filters != test.bad || (err != nil) != (test.bad > 0) {
				t.Errorf("%s: %v, %d environments and %d filters", data, err, environments, filters)
			}
		})
	}
}
