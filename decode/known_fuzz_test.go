package decode

import (
	"reflect"
	"testing"
)

// FuzzKnown decodes a patch as a receiver does who knows what another one said, and as one who knows
// nothing: the two read it differently and must read the same.
func FuzzKnown(f *testing.F) {
	patch := func(environment string) []byte {
		return []byte(`{"path":"/environments/e1","data":` + environment + `}`)
	}
	for _, environment := range environments {
		f.Add(patch(plainEnvironment), patch(environment))
		f.Add(patch(environment), patch(relayOrder))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var known *EnvironmentRep
		d := newDecoder(&Options{Known: func(id []byte) *EnvironmentRep {
			if known == nil || string(id) != string(known.EnvID) {
				return nil
			}
			return known
		}})
		if m, err := d.decode(PatchEvent, first); err == nil && m.Environment.Rep != nil {
			older := *m.Environment.Rep
			older.Version = -1 // than whatever comes
			known = &older
		}
		got, gotErr := d.decode(PatchEvent, second)
		want, wantErr := newDecoder(nil).decode(PatchEvent, second)
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
			t.Fatalf("got %s, %v; want %s, %v", summary(got), gotErr, summary(want), wantErr)
		}
		if gotErr == nil {
			checkOwned(t, got, second)
		}
	})
}
