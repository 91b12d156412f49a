package decode

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestAcceptedKeys(t *testing.T) {
	sdk := func(k SDKKey, ms ...int64) Key {
		if len(ms) > 0 {
			return Key{SDKKey: k, Expiry: time.UnixMilli(ms[0])}
		}
		return Key{SDKKey: k}
	}
	at := func(ms int64) *int64 { return &ms }
	list := func(keys ...ConcurrentKeyRep[SDKKey]) []ConcurrentKeyRep[SDKKey] { return keys }
	for name, test := range map[string]struct {
		rep  EnvironmentRep
		want []Key
	}{
		"no keys":                  {EnvironmentRep{}, nil},
		"the current keys":         {EnvironmentRep{SDKKey: SDKKeyRep{Value: "a"}, MobKey: "a"}, []Key{sdk("a"), {MobileKey: "a"}}},
		"an expiring key":          {EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 5}}}, []Key{sdk("a"), sdk("b", 5)}},
		"no timestamp is for ever": {EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 0}}}, []Key{sdk("a"), sdk("b")}},
		"the current key expires":  {EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"a", 5}}}, []Key{sdk("a")}},
		"the array beats the slot": {
			EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 5}}, SDKKeys: list(ConcurrentKeyRep[SDKKey]{Value: "a", Expiry: at(6)}, ConcurrentKeyRep[SDKKey]{Value: "c", Expiry: at(7)}, ConcurrentKeyRep[SDKKey]{Value: "d", Expiry: at(0)})},
			[]Key{sdk("a"), sdk("c", 7), sdk("d")},
		},
		"the array lists the slot": {
			EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 5}}, SDKKeys: list(ConcurrentKeyRep[SDKKey]{Value: "b", Expiry: at(6)}, ConcurrentKeyRep[SDKKey]{Value: "b"})},
			[]Key{sdk("a"), sdk("b", 6)},
		},
		"mobile keys": {
			EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 5}}, MobKey: "m", MobileKeys: []ConcurrentKeyRep[MobileKey]{{Value: "m", Expiry: at(6)}, {Value: "b", Expiry: at(7)}}},
			[]Key{sdk("a"), {MobileKey: "m"}, {MobileKey: "b", Expiry: time.UnixMilli(7)}, sdk("b", 5)},
		},
		"lingering keys": {
			EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 5}}, Lingering: []ExpiringKeyRep{{"c", 6}, {"b", 7}, {"a", 8}, {"", 9}}},
			[]Key{sdk("a"), sdk("b", 5), sdk("c", 6)},
		},
		"the year 1 is not never": {EnvironmentRep{Lingering: []ExpiringKeyRep{{"a", time.Time{}.UnixMilli()}}}, []Key{sdk("a", 1)}},
	} {
		if got := test.rep.AcceptedKeys(); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestAppendAcceptedKeys uses the memory that it gets, and adds no key twice.
func TestAppendAcceptedKeys(t *testing.T) {
	r := EnvironmentRep{SDKKey: SDKKeyRep{"a", ExpiringKeyRep{"b", 5}}, MobKey: "m"}
	b := Key{SDKKey: "b", Expiry: time.UnixMilli(9)}
	if got, want := r.AppendAcceptedKeys([]Key{b}), []Key{b, {SDKKey: "a"}, {MobileKey: "m"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	n := testing.AllocsPerRun(100, func() {
		var buffer [8]Key
		if len(r.AppendAcceptedKeys(buffer[:0])) != 3 {
			t.Error("it does not return 3 keys")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestManyAcceptedKeys lists each key twice. It takes minutes if the time is quadratic.
func TestManyAcceptedKeys(t *testing.T) {
	const many = 100_000
	r := EnvironmentRep{SDKKey: SDKKeyRep{Value: "k0"}}
	for i := range 2 * many {
		r.SDKKeys = append(r.SDKKeys, ConcurrentKeyRep[SDKKey]{Value: SDKKey(fmt.Sprintf("k%d", i%many))})
	}
	if n := len(r.AcceptedKeys()); n != many {
		t.Errorf("%d keys, want %d", n, many)
	}
}

func TestStringOfConcurrentKey(t *testing.T) {
	at, never := int64(1_700_000_000_000), int64(0)
	for want, k := range map[string]ConcurrentKeyRep[SDKKey]{
		"***":          {Value: "short"},
		"name ***tail": {Key: "name", Value: "sdk-0123456789-tail"},
		"***0000":      {Value: "sdk-0123456789-0000", Expiry: &never},
		"***tail until 2023-11-14T22:13:20Z with views": {Value: "sdk-0123456789-tail", Expiry: &at, HasViews: true},
	} {
		if got := k.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestStringOfKey(t *testing.T) {
	for want, k := range map[string]Key{
		"SDK key ***tail": {SDKKey: "sdk-0123456789-tail"}, "mobile key ***tail": {MobileKey: "mob-0123456789-tail"},
	} {
		for _, got := range []string{k.String(), fmt.Sprintf("%#v", k), k.LogValue().String()} {
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}
