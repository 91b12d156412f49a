package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// TestChangeIsOneLine, whatever the names: a line feed would forge a line of a log.
func TestChangeIsOneLine(t *testing.T) {
	e := env("a", 3)
	e.ProjName, e.EnvName = "Project", "Env"
	odd := env("a\n", 3)
	odd.ProjName, odd.EnvName = "x\ny", "\u2028"
	filter := &Filter{ID: "f", FilterRep: decode.FilterRep{ProjKey: "p", FilterKey: "a\rb", Version: 2}}
	key := &Key{SDKKey: "sdk-1234567890"}
	for _, test := range []struct {
		c    Change
		want string
	}{
		{Change{Kind: EnvironmentAdded, New: &e}, "environment added: a (Project Env) version 3"},
		{Change{Kind: EnvironmentUpdated, Old: &odd, New: &e}, "environment updated: a (Project Env) version 3"},
		{Change{Kind: EnvironmentDeleted, Old: &e}, "environment deleted: a (Project Env) version 3"},
		{Change{Kind: EnvironmentAdded, New: &odd}, `environment added: "a\n" ("x\ny" "\u2028") version 3`},
		{Change{Kind: FilterAdded, NewFilter: filter}, `filter added: f (p "a\rb") version 2`},
		{Change{Kind: FilterDeleted, OldFilter: filter}, `filter deleted: f (p "a\rb") version 2`},
		{Change{Kind: KeyExpired, Old: &e, New: &e, Key: key}, "key expired: SDK key ***7890 of a (Project Env) version 3"},
		{Change{Kind: KeyExpired, Old: &e, New: &e}, "keys expired: a (Project Env) version 3"},
		{Change{Kind: Synced}, "synced"},
		{Change{Kind: Synced, Cached: true}, "synced from cache"},
		{Change{}, "Kind(0)"},
		{Change{Kind: EnvironmentAdded}, "environment added: none"},
		{Change{Kind: FilterAdded}, "filter added: none"},
	} {
		for _, got := range []string{test.c.String(), fmt.Sprintf("%d", test.c), test.c.LogValue().String()} {
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		}
	}
}

func TestChangeAsJSON(t *testing.T) {
	old := rotating(3, "sdk-current-1111", "sdk-old-2222", 1000)
	old.MobKey, old.EnvName, old.ProjName = "mob-3333-3333", "Env", "Project"
	now := rotating(4, "sdk-current-1111", "", 0)
	filter := &Filter{ID: "f", FilterRep: decode.FilterRep{ProjKey: "p", FilterKey: "k", Version: 2}}
	const oldJSON = `"old":{"envID":"a","envKey":"","envName":"Env","projKey":"","projName":"Project","version":3,` +
		`"keys":[{"sdkKey":"***1111"},{"mobileKey":"***3333"},{"sdkKey":"***2222","expiry":"1970-01-01T00:00:01Z"}]}`
	const newJSON = `"new":{"envID":"a","envKey":"","envName":"","projKey":"","projName":"","version":4,"keys":[{"sdkKey":"***1111"}]}`
	for _, test := range []struct {
		c    Change
		want string
	}{
		{Change{Kind: EnvironmentUpdated, Old: &old, New: &now}, `{"kind":"environment updated",` + oldJSON + "," + newJSON + "}"},
		{Change{Kind: KeyExpired, Old: &now, New: &now, Key: &Key{SDKKey: "sdk-old-2222", Expiry: time.UnixMilli(1000)}},
			`{"kind":"key expired","key":{"sdkKey":"***2222","expiry":"1970-01-01T00:00:01Z"},` + strings.Replace(newJSON, "new", "old", 1) + "," + newJSON + "}"},
		{Change{Kind: EnvironmentDeleted, Old: &now, Version: 9}, `{"kind":"environment deleted","version":9,` + strings.Replace(newJSON, "new", "old", 1) + "}"},
		{Change{Kind: FilterDeleted, OldFilter: filter, Omitted: true},
			`{"kind":"filter deleted","omitted":true,"oldFilter":{"id":"f","projKey":"p","key":"k","version":2}}`},
		{Change{Kind: Synced, Cached: true}, `{"kind":"synced","cached":true}`},
	} {
		if got, err := json.Marshal(test.c); err != nil || string(got) != test.want {
			t.Errorf("%v:\n got %s\nwant %s", err, got, test.want)
		}
	}
	// A logger that writes JSON marshals what is inside of other values.
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("", "changes", []Change{{Kind: EnvironmentAdded, New: &old}})
	if line := log.String(); strings.Contains(line, "sdk-") || !strings.Contains(line, "***1111") {
		t.Error(line)
	}
}

func TestFields(t *testing.T) {
	before, after := rotating(1, "sdk-current-secret-1", "", 0), array(2, key("sdk-current-secret-2", 0), key("sdk-other-secret-3", 7))
	before.EnvName, after.EnvName = "Old", "New"
	before.Lingering = []decode.ExpiringKeyRep{{Value: "sdk-older-secret-4", Timestamp: 7}}
	got := Change{Kind: EnvironmentUpdated, Old: &before, New: &after}.Fields()
	want := []Field{
		{"EnvName", "Old", "New"},
		{"SDKKey.Value", "***et-1", "***et-2"},
		{"SDKKeys[1]", "", "***et-3 until 1970-01-01T00:00:00.007Z"},
		{"Lingering[0]", "{***et-4 7}", ""},
	}
	for _, field := range want {
		if !slices.Contains(got, field) {
			t.Errorf("%v is missing in %v", field, got)
		}
	}
	if got, err := json.Marshal(want[2]); err != nil || string(got) != `{"path":"SDKKeys[1]","new":"***et-3 until 1970-01-01T00:00:00.007Z"}` {
		t.Errorf("%s, %v", got, err)
	}
	if fields := (Change{Kind: Synced}).Fields(); len(fields) != 0 {
		t.Error(fields)
	}
	filter := &Filter{ID: "f", FilterRep: decode.FilterRep{ProjKey: "p"}}
	if got := (Change{Kind: FilterDeleted, OldFilter: filter}).Fields(); !slices.Equal(got, []Field{{"ProjKey", "p", ""}}) {
		t.Error(got)
	}
}
