package params_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/params"
)

type (
	sdkKeys        = []decode.ConcurrentKeyRep[decode.SDKKey]
	mobileKeys     = []decode.ConcurrentKeyRep[decode.MobileKey]
	acceptedSDK    = []params.AcceptedKey[decode.SDKKey]
	acceptedMobile = []params.AcceptedKey[decode.MobileKey]
)

// at is a moment on the wire, and local the same moment as a handler gets it.
var (
	at    = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	local = time.UnixMilli(at)
)

// TestTTL checks that a TTL is in whole minutes, and that one beyond the range of time.Duration becomes the
// nearest.
func TestTTL(t *testing.T) {
	const most = math.MaxInt64 / int64(time.Minute)
	for _, test := range []struct {
		minutes int64
		want    time.Duration
	}{
		{0, 0}, {1, time.Minute}, {-1, -time.Minute}, {most, time.Duration(most) * time.Minute}, {-most, time.Duration(-most) * time.Minute},
		{most + 1, time.Duration(most) * time.Minute}, {-most - 1, time.Duration(-most) * time.Minute},
		{math.MaxInt64, time.Duration(most) * time.Minute}, {math.MinInt64, time.Duration(-most) * time.Minute},
	} {
		if int64(int(test.minutes)) != test.minutes {
			continue // on a machine of 32 bits
		}
		if got := params.OfEnvironment(&decode.EnvironmentRep{DefaultTTL: int(test.minutes)}).TTL; got != test.want {
			t.Errorf("%d minutes are %v, want %v", test.minutes, got, test.want)
		}
	}
	for ttl, want := range map[time.Duration]int{time.Minute - 1: 0, time.Minute: 1, 90 * time.Second: 1, -90 * time.Second: -1} {
		if got := (params.Environment{TTL: ttl}).Rep(1).DefaultTTL; got != want {
			t.Errorf("%v is %d minutes on the wire, want %d", ttl, got, want)
		}
	}
}

// TestAcceptedKeys checks that accepted keys are listed where there are others than the current ones and the
// single slot.
func TestAcceptedKeys(t *testing.T) {
	slot := decode.SDKKeyRep{Value: "sdk-new", Expiring: decode.ExpiringKeyRep{Value: "sdk-old", Timestamp: at}}
	older := []decode.ExpiringKeyRep{{Value: "sdk-older", Timestamp: at}}
	for name, test := range map[string]struct {
		rep    decode.EnvironmentRep
		sdk    acceptedSDK
		mobile acceptedMobile
	}{
		"no others":    {rep: decode.EnvironmentRep{SDKKey: slot, MobKey: "mob"}},
		"empty arrays": {rep: decode.EnvironmentRep{SDKKeys: sdkKeys{}, MobileKeys: mobileKeys{}}},
		"arrays": {
			rep: decode.EnvironmentRep{
				SDKKey:     decode.SDKKeyRep{Value: "sdk-new"},
				SDKKeys:    sdkKeys{{Key: "new", Value: "sdk-new"}, {Key: "old", Value: "sdk-old", Expiry: &at, HasViews: true}},
				MobileKeys: mobileKeys{{Key: "one", Value: "mob", Expiry: &at}},
			},
			sdk:    acceptedSDK{{Key: "new", Value: "sdk-new"}, {Key: "old", Value: "sdk-old", Expiry: local, HasViews: true}},
			mobile: acceptedMobile{{Key: "one", Value: "mob", Expiry: local}},
		},
		"the current keys never expire": {
			rep: decode.EnvironmentRep{
				SDKKey: decode.SDKKeyRep{Value: "sdk-new"}, SDKKeys: sdkKeys{{Value: "sdk-new", Expiry: &at}},
				MobKey: "mob", MobileKeys: mobileKeys{{Value: "mob", Expiry: &at}},
			},
			sdk: acceptedSDK{{Value: "sdk-new"}}, mobile: acceptedMobile{{Value: "mob"}},
		},
		"an expiry of 0 is none": {
			rep: decode.EnvironmentRep{SDKKeys: sdkKeys{{Value: "sdk-old", Expiry: new(int64)}}},
			sdk: acceptedSDK{{Value: "sdk-old"}},
		},
		"a key lingers beside the slot": {
			rep: decode.EnvironmentRep{SDKKey: slot, Lingering: older},
			sdk: acceptedSDK{{Value: "sdk-new"}, {Value: "sdk-old", Expiry: local}, {Value: "sdk-older", Expiry: local}},
		},
		"a key lingers without a slot": {
			rep: decode.EnvironmentRep{SDKKey: decode.SDKKeyRep{Value: "sdk-new"}, Lingering: older},
			sdk: acceptedSDK{{Value: "sdk-new"}, {Value: "sdk-older", Expiry: local}},
		},
		"a key lingers beside an array": {
			rep: decode.EnvironmentRep{SDKKey: slot, SDKKeys: sdkKeys{{Key: "new", Value: "sdk-new"}}, Lingering: older},
			sdk: acceptedSDK{{Key: "new", Value: "sdk-new"}, {Value: "sdk-older", Expiry: local}},
		},
	} {
		got := params.OfEnvironment(&test.rep)
		if d := cmp.Diff(test.sdk, got.AcceptedSDKKeys) + cmp.Diff(test.mobile, got.AcceptedMobileKeys); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestRepIsTheReverse checks that Rep and OfEnvironment are inverse to each other.
func TestRepIsTheReverse(t *testing.T) {
	for name, p := range map[string]params.Environment{
		"nothing": {},
		"everything": {
			EnvID:       "id",
			Identifiers: params.Identifiers{EnvKey: "env", EnvName: "Env", ProjKey: "proj", ProjName: "Project"},
			SDKKey:      "sdk-new", MobileKey: "mob",
			ExpiringSDKKey:     params.ExpiringSDKKey{Key: "sdk-old", Expiration: local},
			AcceptedSDKKeys:    acceptedSDK{{Key: "new", Value: "sdk-new"}, {Key: "old", Value: "sdk-old", Expiry: local, HasViews: true}},
			AcceptedMobileKeys: acceptedMobile{{Value: "mob"}, {Value: "mob-old", Expiry: local}},
			TTL:                5 * time.Minute,
			SecureMode:         true,
		},
		"an old key without an end": {SDKKey: "sdk-new", ExpiringSDKKey: params.ExpiringSDKKey{Key: "sdk-old"}},
	} {
		rep := p.Rep(7)
		if d := cmp.Diff(p, params.OfEnvironment(rep)); d != "" || rep.Version != 7 {
			t.Errorf("%s, at version %d, -want +got:\n%s", name, rep.Version, d)
		}
	}
}

// TestRep checks that what has no end has none on the wire.
func TestRep(t *testing.T) {
	p := params.Environment{
		EnvID: "id", SDKKey: "sdk-new", ExpiringSDKKey: params.ExpiringSDKKey{Key: "sdk-old"},
		AcceptedSDKKeys: acceptedSDK{{Key: "new", Value: "sdk-new"}, {Value: "sdk-old", Expiry: local}},
	}
	want := &decode.EnvironmentRep{
		EnvID: "id", SDKKey: decode.SDKKeyRep{Value: "sdk-new", Expiring: decode.ExpiringKeyRep{Value: "sdk-old"}},
		SDKKeys: sdkKeys{{Key: "new", Value: "sdk-new"}, {Value: "sdk-old", Expiry: &at}}, Version: 3,
	}
	if d := cmp.Diff(want, p.Rep(3)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestOfFilter(t *testing.T) {
	f := diff.Filter{ID: "f1", FilterRep: decode.FilterRep{ProjKey: "proj", FilterKey: "filter", Version: 3}}
	if got, want := params.OfFilter(&f), (params.Filter{ID: "f1", ProjKey: "proj", Key: "filter"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
