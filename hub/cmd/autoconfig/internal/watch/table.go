package watch

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/quote"
)

// A table is the configuration as rows, in the order of their names.
type table struct {
	rows    map[autoconfig.EnvironmentID]*row
	filters int
	search  string // in lower case

	found []*row // those that match, sorted
	stale bool   // found is to be made again
}

// A row is an environment as it is shown.
type row struct {
	project, name, id, version, sdkKey, mobileKey string

	expiry time.Time // of the key that expires first; zero if none does
	text   string    // what a search looks at, in lower case
}

func newTable() *table { return &table{rows: make(map[autoconfig.EnvironmentID]*row)} }

// apply applies a change.
func (t *table) apply(c autoconfig.Change) {
	switch c.Kind {
	case autoconfig.EnvironmentAdded, autoconfig.EnvironmentUpdated, autoconfig.KeyExpired:
		t.rows[c.New.EnvID] = newRow(c.New)
	case autoconfig.EnvironmentDeleted:
		delete(t.rows, c.Old.EnvID)
	case autoconfig.FilterAdded:
		t.filters++
	case autoconfig.FilterDeleted:
		t.filters--
	}
	t.stale = true
}

// searchFor makes the table match only rows with the text in them.
func (t *table) searchFor(text string) { t.search, t.stale = strings.ToLower(text), true }

// matching returns the rows that match.
func (t *table) matching() []*row {
	if !t.stale {
		return t.found
	}
	t.found, t.stale = t.found[:0], false
	for _, r := range t.rows {
		if strings.Contains(r.text, t.search) {
			t.found = append(t.found, r)
		}
	}
	slices.SortFunc(t.found, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.project, b.project), cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
	})
	return t.found
}

func newRow(e *autoconfig.EnvironmentRep) *row {
	r := &row{
		project: quote.Line(cmp.Or(e.ProjName, e.ProjKey)), name: quote.Line(cmp.Or(e.EnvName, e.EnvKey)), id: quote.Line(string(e.EnvID)),
		version: strconv.Itoa(e.Version), sdkKey: e.SDKKey.Value.String(), mobileKey: e.MobKey.String(),
	}
	for _, key := range e.AcceptedKeys() {
		if !key.Expiry.IsZero() && (r.expiry.IsZero() || key.Expiry.Before(r.expiry)) {
			r.expiry = key.Expiry
		}
	}
	r.text = strings.ToLower(strings.Join([]string{r.project, r.name, r.id, e.ProjKey, e.EnvKey, r.sdkKey, r.mobileKey}, "\n"))
	return r
}
