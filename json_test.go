package autoconfig_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// keyedChanges are changes of every kind, with the planted keys in their items and missing items.
func keyedChanges() []autoconfig.Change {
	before, after := secretEnvironment(1), secretEnvironment(2)
	filter := autoconfig.Filter{ID: "f1", FilterRep: autoconfig.FilterRep{ProjKey: "proj", FilterKey: "one", Version: 3}}
	expired := autoconfig.Key{SDKKey: autoconfig.SDKKey(planted.expiring), Expiry: time.UnixMilli(0)}
	mobile := autoconfig.Key{MobileKey: autoconfig.MobileKey(planted.mobile)}
	return []autoconfig.Change{
		{Kind: autoconfig.EnvironmentAdded, New: &after},
		{Kind: autoconfig.EnvironmentUpdated, Old: &before, New: &after},
		{Kind: autoconfig.EnvironmentDeleted, Old: &before, Version: 7},
		{Kind: autoconfig.KeyExpired, Old: &before, New: &after, Key: &expired},
		{Kind: autoconfig.KeyExpired, Old: &before, New: &after, Key: &mobile},
		{Kind: autoconfig.FilterAdded, NewFilter: &filter},
		{Kind: autoconfig.FilterDeleted, OldFilter: &filter, Omitted: true},
		{Kind: autoconfig.Synced, Cached: true},
		{},
	}
}

// TestJSONOfChangesRevealsNoKey encodes changes with encoding/json and slog.JSONHandler, by themselves and
// inside of other values.
func TestJSONOfChangesRevealsNoKey(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	encoder := json.NewEncoder(&out)
	changes := keyedChanges()
	values := []any{changes, &changes, map[string]any{"changes": changes}}
	for _, c := range changes {
		values = append(values, c, &c, []any{c}, struct{ C any }{c})
	}
	for _, value := range values {
		log.Info("message", "value", value)
		if err := encoder.Encode(value); err != nil {
			t.Errorf("%T: %v", value, err)
		}
	}
	if found := revealed(out.String()); found != nil {
		t.Errorf("it shows %q:\n%s", found, out.String())
	}
	if strings.Contains(out.String(), "panic") || strings.Contains(out.String(), "!ERROR") {
		t.Errorf("something failed:\n%s", out.String())
	}
}

// TestJSONOfAChange checks that the JSON of a change names the kind, the items and their masked keys.
func TestJSONOfAChange(t *testing.T) {
	e := rotated(2, "sdk-new-0001", "sdk-old-0002", time.UnixMilli(4102444800000))
	e.MobKey = "mob-new-0003"
	key := autoconfig.Key{SDKKey: "sdk-old-0002"}
	for _, test := range []struct {
		change autoconfig.Change
		want   string
	}{
		{autoconfig.Change{Kind: autoconfig.Synced, Cached: true}, `{"kind":"synced","cached":true}`},
		{autoconfig.Change{Kind: autoconfig.Synced, Partial: true}, `{"kind":"synced","partial":true}`},
		{
			autoconfig.Change{Kind: autoconfig.KeyExpired, New: &e, Key: &key},
			`{"kind":"key expired","key":{"sdkKey":"***0002"},"new":{"envID":"e1","envKey":"e1-key","envName":"Env e1","projKey":"proj",` +
				`"projName":"Project","version":2,"keys":[{"sdkKey":"***0001"},{"mobileKey":"***0003"},{"sdkKey":"***0002","expiry":"2100-01-01T00:00:00Z"}]}}`,
		},
		{
			autoconfig.Change{Kind: autoconfig.FilterDeleted, OldFilter: &autoconfig.Filter{ID: "f1"}, Version: 4},
			`{"kind":"filter deleted","version":4,"oldFilter":{"id":"f1","projKey":"","key":"","version":0}}`,
		},
	} {
		if got := testkit.JSON(test.change); got != test.want {
			t.Errorf("%v:\n got %s\nwant %s", test.change, got, test.want)
		}
	}
}

// TestJSONOfStatus checks that the JSON of Stats and of a HealthError has the state and the problem in words.
func TestJSONOfStatus(t *testing.T) {
	stats := testkit.JSON(autoconfig.Stats{Status: autoconfig.Status{State: autoconfig.Interrupted}})
	health := testkit.JSON(autoconfig.HealthError{Problem: autoconfig.NoConfiguration})
	for text, want := range map[string]string{stats: `"State":"interrupted"`, health: `"Problem":"no configuration"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not contain %s", text, want)
		}
	}
}
