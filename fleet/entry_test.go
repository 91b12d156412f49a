package fleet

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

func newTestCodec(t testing.TB) *codec {
	t.Helper()
	c, err := newCodec("bucket", "secret")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEntriesSayAll: what is sealed for a name is the same when it is opened, with any ID, and cannot be opened under
// another name or in another bucket.
func TestEntriesSayAll(t *testing.T) {
	c := newTestCodec(t)
	elsewhere, err := newCodec("elsewhere", "secret")
	if err != nil {
		t.Fatal(err)
	}
	e := &decode.EnvironmentRep{
		EnvID: "a/b \"<é>\n", EnvName: "<&>", Version: 1 << 40, Lingering: []decode.ExpiringKeyRep{{Value: "sdk-old", Timestamp: 5}},
	}
	f := &diff.Filter{ID: "a/b \"<é>\n", FilterRep: decode.FilterRep{ProjKey: "p", FilterKey: "k", Version: 3}}
	environment := decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: e}
	filter := decode.FilterEntry{ID: f.ID, Version: f.Version, Rep: &f.FilterRep}
	names := map[string]bool{}
	for _, test := range []struct {
		change diff.Change
		want   entry
	}{
		{diff.Change{Kind: diff.EnvironmentAdded, New: e}, entry{operation: item, message: decode.Message{Kind: decode.Patch, Environment: environment}}},
		{diff.Change{Kind: diff.FilterUpdated, OldFilter: f, NewFilter: f}, entry{operation: item, message: decode.Message{Kind: decode.Patch, Filter: filter}}},
		{diff.Change{Kind: diff.EnvironmentDeleted, Old: e, Version: 7}, entry{
			operation: deleted, message: decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: e.EnvID, Version: 7}},
		}},
		{diff.Change{Kind: diff.FilterDeleted, OldFilter: f, Omitted: true}, entry{
			operation: omitted, message: decode.Message{Kind: decode.Omit, Filter: decode.FilterEntry{ID: f.ID}},
		}},
	} {
		name := c.name(test.change.Subject())
		names[name] = true
		data, err := c.change(t.Context(), name, 300, &test.change)
		if err != nil {
			t.Fatal(err)
		}
		test.want.life = 300
		got, err := c.open(t.Context(), name, data)
		if d := cmp.Diff(test.want, got, cmp.AllowUnexported(entry{}, census{})); err != nil || d != "" {
			t.Error(err, d)
		}
		if _, err := c.open(t.Context(), name+"x", data); !errors.Is(err, errEntry) {
			t.Error("opened under another name", err)
		}
		if _, err := elsewhere.open(t.Context(), name, data); !errors.Is(err, errEntry) {
			t.Error("opened in another bucket", err)
		}
	}
	if len(names) != 2 {
		t.Errorf("an environment and a filter of one ID have %d names", len(names))
	}
}

// FuzzOpen opens what has the right seal and any content: it is refused, or says one thing about one item.
func FuzzOpen(f *testing.F) {
	c := newTestCodec(f)
	f.Add([]byte{byte(item), 0})
	f.Add([]byte{byte(deleted), 1, 'e', 5, 'a'})
	f.Add([]byte{byte(omitted), 1, 'f', 'a'})
	f.Add(append([]byte{byte(listed), 0}, make([]byte, 16)...))
	f.Add(append([]byte{byte(item), 0}, `{"path":"/","data":{"environments":{"a":{"envID":"a"}}}}`...))
	f.Fuzz(func(t *testing.T, plain []byte) {
		data, err := c.sealer.Seal(plain, c.about("item.x"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.open(t.Context(), "item.x", data)
		if err != nil {
			if !errors.Is(err, errEntry) || e.operation != 0 {
				t.Error(err, e.operation)
			}
			return
		}
		m := &e.message
		switch about := (m.Environment.ID != "") != (m.Filter.ID != ""); e.operation {
		case item:
			if !about || m.Kind != decode.Patch || (m.Environment.Rep == nil) == (m.Filter.Rep == nil) {
				t.Error(m)
			}
		case deleted, omitted:
			if !about || m.Environment.Version < 0 || m.Filter.Version < 0 {
				t.Error(m)
			}
		}
	})
}

// TestCensus: two sets of items are equal if their censuses are.
func TestCensus(t *testing.T) {
	c := newTestCodec(t)
	var a, b census
	var names []string
	for _, id := range []decode.EnvironmentID{"a", "b", "c"} {
		names = append(names, c.name(diff.Subject{Environment: id}))
		a.enter(names[len(names)-1])
	}
	for _, name := range slices.Backward(names) {
		if a == b {
			t.Error("another set has the same census")
		}
		b.enter(name)
	}
	parsed, ok := parseCensus(b.encode())
	if a != b || parsed != b || !ok {
		t.Error("the same set has another census")
	}
	a.leave(names[1])
	b.leave(names[2])
	if a == b || bytes.Equal(a.encode(), b.encode()) {
		t.Error("another set has the same census")
	}
}
