package autoconfig_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/params"
	"github.com/relaystream/autoconfig/stream"
)

// everyKind returns a change of each kind, and the calls that they lead to, as lines.
func everyKind() (changes []autoconfig.Change, calls []string) {
	one, two := testkit.Environment("e1", 1), testkit.Environment("e1", 2)
	two.EnvName = "renamed"
	f1, f2 := autoconfig.Filter{ID: "f1"}, autoconfig.Filter{ID: "f1"}
	f1.ProjKey, f1.FilterKey = "p", "one"
	f2.ProjKey, f2.FilterKey = "p", "uno"
	return []autoconfig.Change{
			{Kind: autoconfig.EnvironmentAdded, New: &one},
			{Kind: autoconfig.EnvironmentUpdated, Old: &one, New: &two},
			{Kind: autoconfig.KeyExpired, Old: &two, New: &two, Key: &autoconfig.Key{SDKKey: "sdk-0"}},
			{Kind: autoconfig.KeyExpired, Old: &two, New: &one, Key: &autoconfig.Key{MobileKey: "mob-0"}},
			{Kind: autoconfig.EnvironmentDeleted, Old: &two},
			{Kind: autoconfig.FilterAdded, NewFilter: &f1},
			{Kind: autoconfig.FilterUpdated, OldFilter: &f1, NewFilter: &f2},
			{Kind: autoconfig.FilterDeleted, OldFilter: &f2},
			{Kind: autoconfig.Synced},
		}, []string{
			"added e1 Env e1 in Project (proj/e1-key) sdk=sdk-e1 mob=mob-e1",
			"updated e1 renamed in Project (proj/e1-key) sdk=sdk-e1 mob=mob-e1",
			"expired e1 sdk-0",
			"updated e1 Env e1 in Project (proj/e1-key) sdk=sdk-e1 mob=mob-e1", // the environment without the mobile key
			"deleted e1",
			"filter added f1 p/one",
			"filter updated f1 p/uno",
			"filter deleted f1",
			"synced",
		}
}

func TestDispatch(t *testing.T) {
	changes, want := everyKind()
	var calls []string
	handler := recorder{func(line string) { calls = append(calls, line) }}
	if err := autoconfig.Dispatch(t.Context(), stream.Just(changes...), handler); err != nil {
		t.Error(err)
	}
	testkit.Expect(t, "calls", calls, want...)

	calls = nil
	type withoutFilters struct{ autoconfig.MessageHandler }
	if err := autoconfig.Dispatch(t.Context(), stream.Just(changes...), withoutFilters{handler}); err != nil {
		t.Error(err)
	}
	testkit.Expect(t, "calls of a handler without filters", calls, append(want[:5:5], want[8])...)
}

// TestDispatchSharesKeys between the versions of an environment, and keeps none of one that is deleted.
func TestDispatchSharesKeys(t *testing.T) {
	e := testkit.Environment("e1", 1)
	e.SDKKeys = []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{{Value: e.SDKKey.Value}}
	added, updated, deleted := autoconfig.Change{Kind: autoconfig.EnvironmentAdded, New: &e},
		autoconfig.Change{Kind: autoconfig.EnvironmentUpdated, Old: &e, New: &e}, autoconfig.Change{Kind: autoconfig.EnvironmentDeleted, Old: &e}
	var keys []*params.AcceptedKey[autoconfig.SDKKey]
	handler := keepsParams{recorder{func(string) {}}, func(p autoconfig.EnvironmentParams) { keys = append(keys, &p.AcceptedSDKKeys[0]) }}
	if err := autoconfig.Dispatch(t.Context(), stream.Just(added, updated, deleted, added), handler); err != nil {
		t.Error(err)
	}
	if len(keys) != 3 || keys[0] != keys[1] || keys[1] == keys[2] {
		t.Errorf("%d calls; shared: %t; after the deletion: %t", len(keys), keys[0] == keys[1], keys[1] == keys[2])
	}
}

type keepsParams struct {
	recorder
	keep func(autoconfig.EnvironmentParams)
}

func (h keepsParams) AddEnvironment(p autoconfig.EnvironmentParams)    { h.keep(p) }
func (h keepsParams) UpdateEnvironment(p autoconfig.EnvironmentParams) { h.keep(p) }

// TestDispatchReturnsWhatChangesReturn checks the errors of Dispatch.
func TestDispatchReturnsWhatChangesReturn(t *testing.T) {
	failed, gone := errors.New("failed"), errors.New("gone")
	if err := autoconfig.Dispatch(t.Context(), stream.Fail[autoconfig.Change](failed), recorder{}); err != failed {
		t.Errorf("got %v, want %v", err, failed)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	changes, _ := everyKind()
	var calls []string
	handler := recorder{func(line string) {
		calls = append(calls, line)
		cancel(gone)
	}}
	if err := autoconfig.Dispatch(ctx, stream.Just(changes...), handler); err != gone || len(calls) != 1 {
		t.Errorf("got %v after %q, want %v after one call", err, calls, gone)
	}
}

// TestDispatchEndsWithinAChange of a filter, which is two calls for a handler without UpdateFilter.
func TestDispatchEndsWithinAChange(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls []string
	handler := recorder{func(line string) {
		calls = append(calls, line)
		cancel()
	}}
	withoutUpdate := struct {
		autoconfig.MessageHandler
		autoconfig.FilterHandler
	}{handler, handler}
	before, after := autoconfig.Filter{ID: "f1"}, autoconfig.Filter{ID: "f1"}
	changes := stream.Just(autoconfig.Change{Kind: autoconfig.FilterUpdated, OldFilter: &before, NewFilter: &after})
	_ = autoconfig.Dispatch(ctx, changes, withoutUpdate)
	testkit.Expect(t, "calls", calls, "filter deleted f1")
}

func TestParams(t *testing.T) {
	at := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	ms, never := at.UnixMilli(), int64(0)
	rep := autoconfig.EnvironmentRep{
		EnvID: "id", EnvKey: "key", EnvName: "name", ProjKey: "projKey", ProjName: "projName",
		SDKKey:  autoconfig.SDKKeyRep{Value: "sdk", Expiring: autoconfig.ExpiringKeyRep{Value: "old", Timestamp: ms}},
		MobKey:  "mob",
		SDKKeys: []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{{Key: "current", Value: "sdk", HasViews: true}, {Value: "old", Expiry: &ms}},
		MobileKeys: []autoconfig.ConcurrentKeyRep[autoconfig.MobileKey]{
			{Value: "mob", Expiry: &never}, {Key: "old", Value: "mob-old", Expiry: &ms},
		},
		DefaultTTL: 5, SecureMode: true, Version: 7,
	}
	local := time.UnixMilli(ms)
	want := autoconfig.EnvironmentParams{
		EnvID:              "id",
		Identifiers:        autoconfig.EnvIdentifiers{EnvKey: "key", EnvName: "name", ProjKey: "projKey", ProjName: "projName"},
		SDKKey:             "sdk",
		MobileKey:          "mob",
		ExpiringSDKKey:     autoconfig.ExpiringSDKKey{Key: "old", Expiration: local},
		AcceptedSDKKeys:    []autoconfig.AcceptedKey[autoconfig.SDKKey]{{Key: "current", Value: "sdk", HasViews: true}, {Value: "old", Expiry: local}},
		AcceptedMobileKeys: []autoconfig.AcceptedKey[autoconfig.MobileKey]{{Value: "mob"}, {Key: "old", Value: "mob-old", Expiry: local}},
		TTL:                5 * time.Minute,
		SecureMode:         true,
	}
	if d := cmp.Diff(want, autoconfig.Params(&rep)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if !autoconfig.Params(&rep).ExpiringSDKKey.Defined() {
		t.Error("an expiring key is not defined")
	}
	none := autoconfig.Params(&autoconfig.EnvironmentRep{EnvID: "id", SDKKeys: []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{}})
	if d := cmp.Diff(autoconfig.EnvironmentParams{EnvID: "id"}, none); d != "" || none.ExpiringSDKKey.Defined() {
		t.Errorf("of next to nothing, -want +got:\n%s", d)
	}
}
