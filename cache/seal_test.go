package cache

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

const sealTestText = `{"path":"/","data":{"environments":{"e1":{"envID":"e1","sdkKey":{"value":"sdk-secret"},"version":3}}}}`

// golden is a configuration as the first release that could has saved it.
func golden(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/snapshot1.hex")
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFormatIsStable: what one version of the package saves, the next ones must be able to load.
func TestFormatIsStable(t *testing.T) {
	m, err := New(&memoryStore{t: t, data: golden(t)}, nil).Load(under(testKey)).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expiry := int64(4102444800001)
	want := &decode.Listing{
		Environments: []decode.EnvironmentEntry{
			{ID: "e1", Version: 3, Rep: &decode.EnvironmentRep{
				EnvID: "e1", EnvKey: "production", EnvName: "Production <&> \u2028 \"quoted\" \x01", ProjKey: "p", ProjName: "Pröject",
				SDKKey: decode.SDKKeyRep{Value: "sdk-e1", Expiring: decode.ExpiringKeyRep{Value: "sdk-old", Timestamp: 4102444800000}},
				MobKey: "mob-e1", DefaultTTL: 5, SecureMode: true, Version: 3,
			}},
			{ID: "e2", Version: 7, Rep: &decode.EnvironmentRep{
				EnvID: "e2", EnvKey: "k2", EnvName: "Two", ProjKey: "p", ProjName: "Pröject", SDKKey: decode.SDKKeyRep{Value: "sdk-e2"}, MobKey: "mob-e2",
				SDKKeys: []decode.ConcurrentKeyRep[decode.SDKKey]{
					{Key: "anchor", Value: "sdk-e2"}, {Key: "other", Value: "sdk-e2-other", Expiry: &expiry, HasViews: true},
				},
				MobileKeys: []decode.ConcurrentKeyRep[decode.MobileKey]{{Key: "m", Value: "mob-e2"}}, Version: 7,
			}},
		},
		Filters: []decode.FilterEntry{{ID: "f1", Version: 2, Rep: &decode.FilterRep{ProjKey: "p", FilterKey: "filter", Version: 2}}},
		Cached:  true,
	}
	if d := cmp.Diff(want, m.Put); d != "" {
		t.Error(d)
	}
	if got := len(sealed(t, testKey, []byte(sealTestText))) - len(sealTestText); got != sealFormat.Cost() {
		t.Errorf("sealing adds %d bytes", got)
	}
}

// usable returns l without the entries that must not be used.
func usable(l *decode.Listing) *decode.Listing {
	return &decode.Listing{
		Environments: slices.DeleteFunc(l.Environments, func(e decode.EnvironmentEntry) bool { return e.Rep == nil }),
		Filters:      slices.DeleteFunc(l.Filters, func(e decode.FilterEntry) bool { return e.Rep == nil }),
		Cached:       l.Cached,
	}
}

// changesOf returns the changes that make what is listed.
func changesOf(l *decode.Listing) []diff.Change {
	var changes []diff.Change
	for _, e := range l.Environments {
		if e.Rep != nil {
			changes = append(changes, diff.Change{Kind: diff.EnvironmentAdded, New: e.Rep})
		}
	}
	for _, f := range l.Filters {
		if f.Rep != nil {
			changes = append(changes, diff.Change{Kind: diff.FilterAdded, NewFilter: &diff.Filter{ID: f.ID, FilterRep: *f.Rep}})
		}
	}
	return append(changes, diff.Change{Kind: diff.Synced})
}

// FuzzLoad loads arbitrary data, and a configuration with arbitrary content. Nothing but what was sealed with the key is
// accepted, and whatever that says is the same after it was saved again.
func FuzzLoad(f *testing.F) {
	genuine := golden(f)
	f.Add([]byte(nil))
	f.Add(genuine)
	f.Add(genuine[:sealFormat.Cost()])
	f.Add([]byte(sealTestText))
	f.Add([]byte(`{"path":"/","data":{"environments":{"a":{"envID":"b"},"c":null},"filters":{"f":{"version":-1}}}}`))
	f.Add([]byte(`{"path":"/","data":{"environments":{"a":{"envID":"a"}}}}` + "\n" + `{"lingering":{"a":[{"value":"b","timestamp":1}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		load := func(data []byte) (m decode.Message, loaded bool, _ Stats) {
			c := New(plainStore{&memoryStore{t: t, data: data}}, nil)
			err := c.Load(under(testKey)).ForEach(t.Context(), func(v decode.Message) error {
				m, loaded = v, true
				return nil
			})
			if err != nil || c.Stats().Loaded != loaded {
				t.Fatal(err, c.Stats())
			}
			return m, loaded, c.Stats()
		}
		if _, loaded, _ := load(data); loaded && !bytes.Equal(data, genuine) {
			t.Error("what was not sealed was accepted")
		}
		before, loaded, stats := load(sealed(t, testKey, data))
		if loaded == errors.Is(stats.LoadErr, ErrDamaged) {
			t.Fatalf("%t, %+v", loaded, stats)
		}
		if !loaded {
			return
		}
		after, loaded, _ := load(sealedState(t, testKey, changesOf(before.Put)))
		if !loaded {
			t.Fatal("saved again, it is not accepted")
		}
		if d := cmp.Diff(usable(before.Put), after.Put, cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	})
}
