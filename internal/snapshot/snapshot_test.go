package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// drawText returns a text that JSON must escape in part.
func drawText(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.StringN(0, 8, -1), rapid.StringMatching(`[ -~]{0,12}`), rapid.StringMatching(`[<>&\x{2028}\x01\n"\\}\]]{0,4}`)).Draw(t, label)
}

func drawTimestamp(t *rapid.T) int64 { return rapid.Int64Range(1, 5e12).Draw(t, "timestamp") }

func drawKeys[K decode.SDKKey | decode.MobileKey](t *rapid.T, anchor K, label string) []decode.ConcurrentKeyRep[K] {
	var keys []decode.ConcurrentKeyRep[K]
	for i := range rapid.IntRange(0, 3).Draw(t, label) {
		k := decode.ConcurrentKeyRep[K]{Key: drawText(t, "name"), Value: K(fmt.Sprint(label, i)), HasViews: rapid.Bool().Draw(t, "views")}
		if rapid.Bool().Draw(t, "expires") {
			expiry := drawTimestamp(t)
			k.Expiry = &expiry
		}
		keys = append(keys, k)
	}
	if len(keys) > 0 {
		keys = append(keys, decode.ConcurrentKeyRep[K]{Value: anchor})
	}
	return keys
}

func drawEnvironment(t *rapid.T, id decode.EnvironmentID) *decode.EnvironmentRep {
	e := &decode.EnvironmentRep{
		EnvID: id, EnvKey: drawText(t, "envKey"), EnvName: drawText(t, "envName"), ProjKey: drawText(t, "projKey"), ProjName: drawText(t, "projName"),
		MobKey:     decode.MobileKey("mob-" + drawText(t, "mobKey")),
		DefaultTTL: rapid.Int().Draw(t, "ttl"), SecureMode: rapid.Bool().Draw(t, "secure"), Version: rapid.IntMin(0).Draw(t, "version"),
	}
	e.SDKKey.Value = decode.SDKKey("sdk-" + drawText(t, "sdkKey"))
	if rapid.Bool().Draw(t, "expiring") {
		e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: "old", Timestamp: drawTimestamp(t)}
	}
	e.SDKKeys = drawKeys(t, e.SDKKey.Value, "sdk")
	e.MobileKeys = drawKeys(t, e.MobKey, "mob")
	for i := range rapid.IntRange(0, 3).Draw(t, "lingering") {
		e.Lingering = append(e.Lingering, decode.ExpiringKeyRep{Value: decode.SDKKey(fmt.Sprint(drawText(t, "old key"), i)), Timestamp: drawTimestamp(t)})
	}
	return e
}

// drawListing returns a configuration in any order.
func drawListing(t *rapid.T) *decode.Listing {
	l := &decode.Listing{Cached: true, Environments: []decode.EnvironmentEntry{}}
	ids := rapid.OneOf(rapid.StringN(1, 3, -1), rapid.StringMatching(`[ab"\\/<}\]]`))
	for _, id := range rapid.SliceOfNDistinct(ids, 0, 6, rapid.ID).Draw(t, "environments") {
		e := drawEnvironment(t, decode.EnvironmentID(id))
		l.Environments = append(l.Environments, decode.EnvironmentEntry{ID: e.EnvID, Version: e.Version, Rep: e})
	}
	for _, id := range rapid.SliceOfNDistinct(ids, 0, 3, rapid.ID).Draw(t, "filters") {
		f := &decode.FilterRep{ProjKey: drawText(t, "projKey"), FilterKey: drawText(t, "key"), Version: rapid.IntMin(0).Draw(t, "version")}
		l.Filters = append(l.Filters, decode.FilterEntry{ID: decode.FilterID(id), Version: f.Version, Rep: f})
	}
	return l
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

func environment(id decode.EnvironmentID, version int) *decode.EnvironmentRep {
	e := &decode.EnvironmentRep{EnvID: id, EnvName: "Env " + string(id), MobKey: decode.MobileKey("mob-" + id), Version: version}
	e.SDKKey.Value = decode.SDKKey("sdk-" + id)
	return e
}

// state returns the changes that make the environments.
func state(environments ...*decode.EnvironmentRep) []diff.Change {
	l := &decode.Listing{}
	for _, e := range environments {
		l.Environments = append(l.Environments, decode.EnvironmentEntry{Rep: e})
	}
	return changesOf(l)
}

// checkSnapshot: encoded and decoded, a configuration is the same, in the same order, and encoded once
// more, the same bytes.
func checkSnapshot(t *rapid.T) {
	want := drawListing(t)
	snapshot, err := Encode(context.Background(), changesOf(want))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(context.Background(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatal(d)
	}
	again, err := Encode(context.Background(), changesOf(got))
	if err != nil || !bytes.Equal(again, snapshot) {
		t.Fatal("encoded once more, it differs", err)
	}
}

func TestSnapshotRoundTrip(t *testing.T) { rapid.Check(t, checkSnapshot) }

func FuzzSnapshot(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkSnapshot)) }

// TestSnapshotSaysAll: a member that the wire form gets, and the snapshot does not have, would be lost.
func TestSnapshotSaysAll(t *testing.T) {
	known := []string{
		"EnvID", "EnvKey", "EnvName", "ProjKey", "ProjName", "SDKKey", "MobKey", "SDKKeys", "MobileKeys", "Lingering",
		"DefaultTTL", "SecureMode", "Version",
	}
	var got []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[decode.EnvironmentRep]()) {
		got = append(got, f.Name)
	}
	if d := cmp.Diff(known, got); d != "" {
		t.Error("see whether drawEnvironment and the snapshot have it:", d)
	}
}

// TestSnapshotForm: a configuration without lingering keys is the put alone, and one with them begins with it.
func TestSnapshotForm(t *testing.T) {
	e := environment("e1", 1)
	const put = `{"path":"/","data":{"environments":{"e1":{"envID":"e1","envKey":"","envName":"Env e1","projKey":"","projName":"",` +
		`"sdkKey":{"value":"sdk-e1","expiring":{"value":"","timestamp":0}},"mobKey":"mob-e1","defaultTtl":0,"secureMode":false,"version":1}}}}`
	got, err := Encode(t.Context(), state(e))
	if err != nil || string(got) != put {
		t.Errorf("%s, %v", got, err)
	}
	fast := &decode.Options{OnUnusual: func(n int) { t.Errorf("%d times not in the form that the decoder is fast at", n) }}
	if _, err := decode.Messages(stream.Just(sse.Event{Type: decode.PutEvent, Data: got}), fast).First(t.Context()); err != nil {
		t.Error(err)
	}
	e.Lingering = []decode.ExpiringKeyRep{{Value: "sdk-old", Timestamp: 5}}
	got, err = Encode(t.Context(), state(e))
	if err != nil || string(got) != put+"\n"+`{"lingering":{"e1":[{"value":"sdk-old","timestamp":5}]}}` {
		t.Errorf("%s, %v", got, err)
	}
}

// TestImpossibleSnapshots are damaged, whatever else they say.
func TestImpossibleSnapshots(t *testing.T) {
	const put = `{"path":"/","data":{"environments":{"e1":{"envID":"e1"},"e2":{"envID":"e1"}}}}`
	for name, test := range map[string]struct {
		snapshot string
		damaged  bool
	}{
		"nothing":                          {"", true},
		"another path":                     {`{"path":"/x","data":{"environments":{}}}`, true},
		"no environments":                  {`{"path":"/","data":{}}`, true},
		"no lingering keys":                {put + "\n{}", false},
		"a member of a later version":      {put + "\n" + `{"lingering":{"e1":[{"value":"a","timestamp":1,"x":1}]},"more":[]}`, false},
		"keys of an unusable environment":  {put + "\n" + `{"lingering":{"e2":[{"value":"a","timestamp":1}]}}`, false},
		"keys of an unknown environment":   {put + "\n" + `{"lingering":{"e3":[{"value":"a","timestamp":1}]}}`, true},
		"an empty lingering key":           {put + "\n" + `{"lingering":{"e1":[{"value":"a","timestamp":1},{"timestamp":1}]}}`, true},
		"a lingering key that never ends":  {put + "\n" + `{"lingering":{"e1":[{"value":"a"}]}}`, true},
		"a timestamp that is none":         {put + "\n" + `{"lingering":{"e1":[{"value":"a","timestamp":"1"}]}}`, true},
		"a line feed too many":             {put + "\n", true},
		"something after the second value": {put + "\n{}\n{}", true},
		"lingering keys alone":             {"\n" + `{"lingering":{}}`, true},
	} {
		l, err := Decode(t.Context(), []byte(test.snapshot))
		if (err == nil) == test.damaged || (l == nil) != test.damaged {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
}

// TestLingeringOfADuplicate: of two entries of one ID the later one counts.
func TestLingeringOfADuplicate(t *testing.T) {
	const snapshot = `{"path":"/","data":{"environments":{"e1":{"envID":"e1"},"e1":{"envID":"e1"}}}}` + "\n" + `{"lingering":{"e1":[{"value":"a","timestamp":1}]}}`
	l, err := Decode(t.Context(), []byte(snapshot))
	if err != nil || len(l.Environments[len(l.Environments)-1].Rep.Lingering) != 1 {
		t.Error(l, err)
	}
}

// A countdown is a context that ends after so many looks at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestEncodingHeedsItsContext between any two members, the lingering keys included.
func TestEncodingHeedsItsContext(t *testing.T) {
	var environments []*decode.EnvironmentRep
	for i := range 5 {
		e := environment(decode.EnvironmentID(fmt.Sprint("e", i)), 1)
		e.Lingering = []decode.ExpiringKeyRep{{Value: "old", Timestamp: 1}}
		environments = append(environments, e)
	}
	changes := append(state(environments...), diff.Change{Kind: diff.FilterAdded, NewFilter: &diff.Filter{ID: "f1"}})
	for looks := range 11 {
		snapshot, err := Encode(&countdown{t.Context(), looks}, changes)
		if n := bytes.Count(snapshot, []byte(`"envID"`)); !errors.Is(err, context.Canceled) || n != min(looks, 5) {
			t.Errorf("after %d looks: %d environments, %v", looks, n, err)
		}
	}
	if _, err := Encode(&countdown{t.Context(), 11}, changes); err != nil {
		t.Error(err)
	}
}

var errEnded = errors.New("ended")

// TestDecodingHeedsItsContext: what was not read to its end is not damaged.
func TestDecodingHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnded)
	if l, err := Decode(ctx, []byte(`{"path":"/","data":{"environments":{}}}`)); l != nil || !errors.Is(err, errEnded) {
		t.Error(l, err)
	}
}
