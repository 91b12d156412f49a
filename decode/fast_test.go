package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// people returns an environment with names that people might choose. JSON escapes the name of one in 25.
func people(rng *rand.Rand, version int) EnvironmentRep {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4000-8000-%012x", rng.Uint32(), rng.IntN(1<<16), rng.Int64N(1<<48))
	}
	project := pick("Web Shop", "Payments API", "Müller GmbH – Kasse", "モバイル", "ios_app 2.0", "O'Neill", "Größe/Maße", "checkout (legacy)")
	if rng.IntN(25) == 0 {
		project = pick("Search & Browse", `The "new" one`, "A<B")
	}
	e := EnvironmentRep{
		EnvID: EnvironmentID(fmt.Sprintf("%08x%016x", rng.Uint32(), rng.Uint64())), EnvKey: pick("production", "staging", "test", "dev-1"),
		EnvName: pick("Production", "Staging", "Test", "Développement 🚀"), ProjKey: pick("default", "web-shop", "payments.api"), ProjName: project,
		SDKKey: SDKKeyRep{Value: SDKKey("sdk-" + uuid())}, MobKey: MobileKey("mob-" + uuid()),
		DefaultTTL: rng.IntN(10), SecureMode: rng.IntN(2) == 0, Version: version,
	}
	switch rng.IntN(10) {
	case 0:
		e.SDKKey.Expiring = ExpiringKeyRep{Value: SDKKey("sdk-" + uuid()), Timestamp: 1_800_000_000_000}
	case 1:
		at := int64(1_800_000_000_000)
		e.SDKKeys = []ConcurrentKeyRep[SDKKey]{{Key: "default", Value: e.SDKKey.Value}, {Key: pick("previous", "old & odd"), Value: SDKKey("sdk-" + uuid()), Expiry: &at}}
		e.MobileKeys = []ConcurrentKeyRep[MobileKey]{{Key: "default", Value: e.MobKey, HasViews: true}}
	}
	return e
}

// TestFastPathIsTaken checks that the fast path reads what encoding/json writes, escapes included. The
// result of the general path is the same, so that no other test would notice.
func TestFastPathIsTaken(t *testing.T) {
	const messages = 5000
	rng := rand.New(rand.NewPCG(1, 2))
	put := PutMessageData{Path: "/", Data: PutContent{Environments: map[EnvironmentID]EnvironmentRep{}}}
	d := newDecoder(nil)
	escapes := 0
	for version := range messages {
		e := people(rng, 1+version)
		put.Data.Environments[e.EnvID] = e
		path := "/environments/" + string(e.EnvID)
		patch := encoded(t, PatchMessageData{Path: path, Data: e})
		if !d.fastPatch(patch, new(EnvironmentEntry)) {
			t.Errorf("not taken by %s", patch)
		}
		if bytes.Contains(patch, []byte(`\`)) {
			escapes++
		}
		if !d.fastDelete(encoded(t, DeleteMessageData{Path: path, Version: version}), new(EnvironmentEntry)) {
			t.Error("not taken by a deletion")
		}
	}
	if _, err := d.decode(PutEvent, encoded(t, put)); err != nil || d.unusual != 0 {
		t.Errorf("not taken by %d environments of the put, %v", d.unusual, err)
	}
	if escapes == 0 {
		t.Error("no message has escapes")
	}
}

// TestUnusualIsCounted counts environments with members that the fast path does not read, whatever came before. White
// space between members is usual, and filters and deletions are.
func TestUnusualIsCounted(t *testing.T) {
	const usual = `"e1":` + plainEnvironment
	of := func(environment string) string { return string(patchOf(environment)) }
	named := func(id string) string {
		return `"` + id + `":{"envID":"` + id + `","envName":"` + strings.Repeat("x", checkEvery) + `"}`
	}
	for _, test := range []struct {
		event, data string
		want        int
	}{
		{PutEvent, `{"path":"/","data":{"environments":{` + usual + `},"filters":{"f": {"version":1}}}}`, 0},
		{PutEvent, `{"path":"/","data":{"environments":{` + usual + `,"e2":{"x":{}},"e3":{"version":null}}}}`, 2},
		{PutEvent, `{"path":"/","data":{"environments":{` + usual + `,"e2":{ },"e3":{}}}}`, 0},
		{PutEvent, `{"path": "/","data":{"environments":{ "e1" : ` + plainEnvironment + ` }}}`, 0},
		{PutEvent, `{"path":"/","data":{"environments":{` + named("e1") + `,` + named("e2") + `}}}`, 2}, // too long, and known the second time
		{PutEvent, `{"path": "/other"}`, 0},
		{PatchEvent, of(plainEnvironment), 0},
		{PatchEvent, `{"data": ` + plainEnvironment + ` , "path":"\/environments\/e1"}`, 0},
		{PatchEvent, of(indented(plainEnvironment)), 1}, // for the object in it
		{PatchEvent, of(python(relayOrder)), 0},
		{PatchEvent, of(`{"envID" : "e1" , "version" : 1 }`), 1},
		{PatchEvent, of(`{ "envID":"e1" ,"version": 1 }`), 0},
		{PatchEvent, of(`{"version":  2,"envID":"e1"}`), 1},
		{PatchEvent, of(`{"version":1,"envID":"e1","sdkKeys":[],"sdkKey":{"value":"","expiring":{}}}`), 0},
		{PatchEvent, of(`{"version":1,"envID":"e1","sdkKey":{"expiring":{},"value":""}}`), 1},
		{PatchEvent, of(`{"version":1,"envID":"e1","\u0073dkKeys":[]}`), 1},
		{PatchEvent, of(`{"version":1,"envID":"e1","mobileKeys":null}`), 1},
		{PatchEvent, of(`{"version":1,"envID":"e1","version":1}`), 1},
		{PatchEvent, `{"path":"/environments/e1","data":{"version":1},"data":{"envID":"e1"}}`, 0},
		{PatchEvent, `{"path":"/filters/f","data": {"version":1}}`, 0},
		{PatchEvent, `{"path": "/flags/f"}`, 0},
		{DeleteEvent, `{"path":"/environments/e1","version": 1}`, 0},
		{DeleteEvent, `{"version":1,"path":"/environments/e1"}`, 0},
	} {
		for _, before := range []string{`{"path":"/flags/f"}`, of(`{"version": 1, "envID": "e1"}`), of(`{"envID":"e1","version":1}`)} {
			events := stream.Just(sse.Event{Type: PatchEvent, Data: []byte(before)}, sse.Event{Type: test.event, Data: []byte(test.data)})
			total, calls := 0, 0
			messages, err := Messages(events, &Options{OnUnusual: func(n int) { total, calls = total+n, calls+1 }}).Count(t.Context())
			if err != nil || messages != 2 || total != test.want || calls != min(total, 1) {
				t.Errorf("%s %s behind %s: %d in %d calls, want %d, %v", test.event, test.data, before, total, calls, test.want, err)
			}
		}
	}
}

func indented(data string) string {
	var out bytes.Buffer
	_ = json.Indent(&out, []byte(data), "", "\t")
	return out.String()
}

func encoded(t *testing.T, message any) []byte {
	t.Helper()
	data, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
