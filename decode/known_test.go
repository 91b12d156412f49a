package decode

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"pgregory.net/rapid"
)

// drawEnvironment draws an environment. Each member has one of few values, and may be empty.
func drawEnvironment(t *rapid.T, version int) EnvironmentRep {
	text := rapid.SampledFrom([]string{"", "a", "ä", "some longer text", `quoted "\n"`})
	e := EnvironmentRep{
		EnvID: "e", Version: version,
		EnvKey: text.Draw(t, "envKey"), EnvName: text.Draw(t, "envName"), ProjKey: text.Draw(t, "projKey"), ProjName: text.Draw(t, "projName"),
		SDKKey:     SDKKeyRep{Value: SDKKey(text.Draw(t, "sdkKey"))},
		MobKey:     MobileKey(text.Draw(t, "mobKey")),
		DefaultTTL: rapid.IntRange(0, 2).Draw(t, "ttl"), SecureMode: rapid.Bool().Draw(t, "secure"),
	}
	if rapid.Bool().Draw(t, "expiring") {
		e.SDKKey.Expiring = ExpiringKeyRep{Value: SDKKey(text.Draw(t, "old")), Timestamp: rapid.Int64Range(0, 2).Draw(t, "at")}
	}
	for range rapid.IntRange(0, 2).Draw(t, "keys") {
		k := ConcurrentKeyRep[MobileKey]{Key: text.Draw(t, "name"), Value: e.MobKey + "x"}
		if expiry := rapid.Int64Range(0, 2).Draw(t, "expiry"); expiry > 0 {
			k.Expiry = &expiry
		}
		e.MobileKeys = append(e.MobileKeys, k, ConcurrentKeyRep[MobileKey]{Value: e.MobKey})
	}
	return e
}

// TestKnownIsOnlyAHint decodes several versions of an environment. The result must not depend on whether the version
// before is known.
func TestKnownIsOnlyAHint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var known *EnvironmentRep
		hinted := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
		for version := 1; version < 5; version++ {
			e := drawEnvironment(t, version)
			if known != nil && rapid.Bool().Draw(t, "few names change") {
				e.EnvKey, e.ProjKey, e.ProjName = known.EnvKey, known.ProjKey, known.ProjName
			}
			data, err := json.Marshal(PatchMessageData{Path: "/environments/e", Data: e})
			if err != nil {
				t.Fatal(err)
			}
			got, gotErr := hinted.decode(PatchEvent, data)
			want, wantErr := newDecoder(nil).decode(PatchEvent, data)
			if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
				t.Fatalf("knowing %+v\n got %+v, %v\nwant %+v, %v", known, got.Environment.Rep, gotErr, want.Environment.Rep, wantErr)
			}
			if got.Environment.Rep != nil {
				known = got.Environment.Rep
			}
		}
	})
}

// TestKnownIsNotTakenForWhatIsRead decodes JSON strings whose bytes equal the known text. The texts differ if the
// string has an escape sequence.
func TestKnownIsNotTakenForWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		padding := rapid.StringMatching(`[ -!#-\[\]-~]{0,20}`)
		odd := rapid.SampledFrom([]string{"", `"`, `\"`, `\\`, `\u0041`, `\n`, "\n", "\x00", "\x1f", "\x7f", "ü", "\xff", "\xc3", `\`, `"x"`})
		raw := padding.Draw(t, "before") + odd.Draw(t, "odd") + padding.Draw(t, "after")
		known := &EnvironmentRep{EnvID: "e", EnvName: raw, MobKey: MobileKey(raw), Version: 1}
		data := []byte(`{"path":"/environments/e","data":{"envID":"e","envName":"` + raw + `","mobKey":"` + raw + `","version":2}}`)
		got, gotErr := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }}).decode(PatchEvent, data)
		want, wantErr := referenceDecode(PatchEvent, data)
		if (gotErr != nil) != (wantErr != nil) || gotErr == nil && summary(got) != want {
			t.Fatalf("%s\ngot  %v, %v\nwant %v, %v", data, summary(got), gotErr, want, wantErr)
		}
	})
}

// TestReplacedKeyIsShared checks that a key which was current and now expires is in memory once.
func TestReplacedKeyIsShared(t *testing.T) {
	known := &EnvironmentRep{EnvID: "e1", SDKKey: SDKKeyRep{Value: "sdk-00000000-old"}, Version: 1}
	bothPaths(string(patchOf(plainEnvironment)), func(data []byte) {
		m, err := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }}).decode(PatchEvent, data)
		if err != nil {
			t.Fatal(err)
		}
		old := string(m.Environment.Rep.SDKKey.Expiring.Value)
		if old != "sdk-00000000-old" || unsafe.StringData(old) != unsafe.StringData(string(known.SDKKey.Value)) {
			t.Errorf("%q has memory of its own", old)
		}
	})
}

// TestNamesAreShared: a name that does not change has the memory of the known one, with escapes or without.
func TestNamesAreShared(t *testing.T) {
	var known *EnvironmentRep
	d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
	for _, name := range []string{"Web Shop", `Search \u0026 Browse`} {
		environment := func(version string) string {
			return strings.NewReplacer("Web Shop", name, ":7}", version).Replace(plainEnvironment)
		}
		m, err := newDecoder(nil).decode(PatchEvent, patchOf(environment(":7}")))
		if err != nil {
			t.Fatal(err)
		}
		known = m.Environment.Rep
		check := func(data []byte) {
			m, err := d.decode(PatchEvent, data)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Environment.Rep.ProjName; got != known.ProjName || unsafe.StringData(got) != unsafe.StringData(known.ProjName) {
				t.Errorf("by %s %q has memory of its own", data, got)
			}
		}
		bothPaths(string(patchOf(environment(":8}"))), check)
		check(patchOf(string(unusual([]byte(environment(":8}")))))) // only its members are unusual
	}
}

// TestSameText compares sameText with a comparison byte by byte. Where sameText fails for no reason, the result of
// decoding is still the same, so that no other test would notice.
func TestSameText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SliceOfN(rapid.OneOf(rapid.ByteRange(' ', '~'), rapid.Byte()), 0, 40).Draw(t, "known")
		data := append([]byte(`{"`), known...)
		data = append(data, rapid.SampledFrom([]string{`"`, `",`, `" `, "", "x"}).Draw(t, "behind")...)
		if rapid.Bool().Draw(t, "differs") && len(known) > 0 {
			data[2+rapid.IntRange(0, len(known)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		end := 2 + len(known)
		want := end < len(data) && data[end] == '"' && bytes.Equal(data[2:end], known)
		for _, b := range known {
			want = want && b >= ' ' && b != '"' && b != '\\' && b < utf8.RuneSelf
		}
		if got := sameText(data, 2, string(known)); (got != failed) != want || want && got != end+1 {
			t.Fatalf("%d, want same: %t", got, want)
		}
	})
}

// TestKeySetsAreShared: a patch that changes nothing in the sets of keys has those that are known, and takes no memory for
// them. A set that differs in anything is read.
func TestKeySetsAreShared(t *testing.T) {
	patch := func(environment, old, new string) []byte {
		return patchOf(strings.NewReplacer(`"version":1`, `"version":2`, old, new).Replace(environment))
	}
	var known *EnvironmentRep
	d := newDecoder(&Options{Known: func([]byte) *EnvironmentRep { return known }})
	decoded := func(d *decoder, data []byte) *EnvironmentRep {
		m, err := d.decode(PatchEvent, data)
		if err != nil {
			t.Fatal(err)
		}
		return m.Environment.Rep
	}
	known = decoded(newDecoder(nil), patchOf(relayOrder))
	same := patch(relayOrder, "Production", "Renamed")
	bothPaths(string(same), func(data []byte) {
		if got := decoded(d, data); &got.SDKKeys[0] != &known.SDKKeys[0] || &got.MobileKeys[0] != &known.MobileKeys[0] {
			t.Errorf("by %s the sets are not shared", data)
		}
	})
	if n := testing.AllocsPerRun(100, func() { decoded(d, same) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
	for old, new := range map[string]string{
		`"key":"b"`: `"key":"c"`, `"sdk-3"`: `"sdk-4"`, `"expiry":1700000000000`: `"expiry":1700000000001`, `"expiry":1700000000000,`: ``,
		`"hasViews":true`: `"hasViews":false`, `"mob-22222222","hasViews":false`: `"mob-22222222","hasViews":true`,
		`"hasViews":true}]`: `"hasViews":true},{"key":"d","value":"sdk-5","hasViews":false}]`,
		`},{"key":"b","value":"sdk-3","expiry":1700000000000,"hasViews":true}]`: `}]`,
		`"sdk-11111111-new","hasViews":false`:                                   `"sdk-11111111-new","expiry":1700000000000,"hasViews":false`,
	} {
		bothPaths(string(patch(relayOrder, old, new)), func(data []byte) {
			if got, want := decoded(d, data), decoded(newDecoder(nil), data); !reflect.DeepEqual(got, want) || reflect.DeepEqual(got.SDKKeys, known.SDKKeys) == reflect.DeepEqual(got.MobileKeys, known.MobileKeys) {
				t.Errorf("%s\n got %v\nwant %v", data, got, want)
			}
		})
	}
}
