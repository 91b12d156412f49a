package decode

import (
	"reflect"
	"strings"
	"testing"
)

// A receiver holds the environments of the messages that it has received.
type receiver map[EnvironmentID]*EnvironmentRep

func (r receiver) find(id []byte) *EnvironmentRep { return r[EnvironmentID(id)] }

func (r receiver) receive(m Message) {
	all := []EnvironmentEntry{m.Environment}
	if m.Put != nil {
		all = m.Put.all()
	}
	for _, entry := range all {
		if entry.Rep != nil {
			r[entry.ID] = entry.Rep
		}
	}
}

// FuzzKnown decodes two messages, each a put or a patch. The second must mean the same whether or not the decoder
// knows the environments of the first.
func FuzzKnown(f *testing.F) {
	both := func(environment string) string {
		return `{"path":"/","data":{"environments":{"e1":` + environment + `,"e0":` + strings.ReplaceAll(environment, `"e1"`, `"e0"`) + `}}}`
	}
	for _, environment := range environments {
		f.Add(false, patchOf(plainEnvironment), false, patchOf(environment))
		f.Add(false, patchOf(environment), false, patchOf(relayOrder))
		f.Add(true, []byte(both(plainEnvironment)), true, []byte(both(environment)))
		f.Add(true, []byte(both(environment)), true, []byte(both(relayOrder)))
		f.Add(true, []byte(both(plainEnvironment)), false, patchOf(environment))
	}
	f.Add(false, patchOf(plainEnvironment), false, []byte(`{"data":{"envID":"e1","envName":""},"path":"/environments/e1"}`))
	f.Fuzz(func(t *testing.T, firstPut bool, first []byte, secondPut bool, second []byte) {
		events := map[bool]string{false: PatchEvent, true: PutEvent}
		known := receiver{}
		d := newDecoder(&Options{Known: known.find})
		if m, err := d.decode(events[firstPut], first); err == nil {
			known.receive(m)
		}
		for _, e := range known {
			e.Version = -1                                       // so that whatever comes is newer
			e.Lingering = []ExpiringKeyRep{{Value: "lingering"}} // which no message says
		}
		got, gotErr := d.decode(events[secondPut], second)
		want, wantErr := newDecoder(nil).decode(events[secondPut], second)
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotErr, wantErr) {
			t.Fatalf("got %s, %v; want %s, %v", summary(got), gotErr, summary(want), wantErr)
		}
		if gotErr == nil {
			checkOwned(t, got, second)
		}
	})
}
